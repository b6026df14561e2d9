@profile:SWF @profile:SWF.b @profile:CPI @profile:ARI @actor:image-manager
Feature: RAD-14 and RAD-16: an archive is asked for studies and delivers them
  The product under test is an Image Manager/Archive; modality and display are simulated.

  @quick @transaction:RAD-14 @req:RAD-14-SCP-01
  Scenario Outline: <model> queries are answered
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level in the "<model>" model by
      | PatientID | ID of doe |
    Then exactly the studies of "doe" are returned
    And the exchange satisfies every "RAD-14" requirement

    Examples:
      | model        |
      | Study Root   |
      | Patient Root |

  @transaction:RAD-14 @req:RAD-14-SCP-02 @mesa:401
  Scenario Outline: Study level matching by <keyword> "<value>"
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level by
      | <keyword> | <value> |
    Then exactly the studies of "<found>" are returned
    And the exchange satisfies every "RAD-14" requirement

    Examples:
      | keyword          | value            | found         |
      | PatientName      | DOE*             | doe           |
      | PatientID        | ID of roe        | roe           |
      | AccessionNumber  | accession of kim | kim           |
      | StudyDate        | date of doe      | doe           |
      | StudyDate        | range of all     | doe, roe, kim |
      | StudyTime        | time of roe      | roe           |
      | StudyID          | study ID of kim  | kim           |
      | StudyInstanceUID | study of doe     | doe           |
      | StudyInstanceUID | studies of doe and kim | doe, kim |
      | PatientName      | NOBODY*          | nobody        |

  @transaction:RAD-14 @req:RAD-14-SCP-02
  Scenario Outline: Patient level matching by <keyword> "<value>"
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "PATIENT" level in the "Patient Root" model by
      | <keyword> | <value> |
    Then exactly the studies of "<found>" are returned
    And the requirement "RAD-14-SCP-02" is met

    Examples:
      | keyword     | value     | found  |
      | PatientName | KIM*      | kim    |
      | PatientName | R?E^*     | roe    |
      | PatientID   | ID of doe | doe    |
      | PatientName | NOBODY*   | nobody |

  @transaction:RAD-14 @req:RAD-14-SCP-02
  Scenario Outline: A name in the characters of <name> is found by "<value>" and comes back
    When the Acquisition Modality stores the study "<name>"
    And the Image Display queries at "STUDY" level by
      | PatientName | <value>      |
      | PatientID   | ID of <name> |
    Then exactly the studies of "<name>" are returned
    And the requirement "RAD-14-SCP-02" is met

    Examples:
      | name    | value         |
      | mueller | Müller*       |
      | hong    | *홍^길동*     |
      | hong    | Hong*         |
      | yamada  | *やまだ*      |
      | yamada  | *山田^太郎*   |
      | wang    | *王^小东*     |

  @transaction:RAD-14 @req:RAD-14-SCP-14
  Scenario: The case of a name matters as the conformance statement says
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level by
      | PatientName | doe*      |
      | PatientID   | ID of doe |
    Then exactly the studies of "doe" are returned
    And the requirement "RAD-14-SCP-14" is met

  @transaction:RAD-14 @req:RAD-14-SCP-03 @mesa:401 @mesa:402
  Scenario Outline: Modalities in Study: <modality>
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level by
      | ModalitiesInStudy | <modality> |
    Then exactly the studies of "<found>" are returned
    And the exchange satisfies every "RAD-14" requirement

    Examples:
      | modality | found    |
      | CT       | doe      |
      | MR       | roe, kim |
      | OT       | kim      |

  @transaction:RAD-14 @req:RAD-14-SCP-06
  Scenario: Referring physician
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level by
      | ReferringPhysicianName | Welby* |
    Then exactly the studies of "doe" are returned
    And the requirement "RAD-14-SCP-06" is met

  @transaction:RAD-14 @req:RAD-14-SCP-07 @req:RAD-14-SCP-08 @mesa:402 @mesa:403
  Scenario: Series level
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "SERIES" level of the study "kim" by
      | Modality | OT |
    Then exactly the series of "kim" with Modality "OT" are returned
    And the exchange satisfies every "RAD-14" requirement

  @transaction:RAD-14 @req:RAD-14-SCP-10 @req:RAD-14-SCP-11 @mesa:404
  Scenario: Image level
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "IMAGE" level of the study "doe" by
      | InstanceNumber | 2 |
    Then exactly the images of "doe" with InstanceNumber "2" are returned
    And the exchange satisfies every "RAD-14" requirement

  @transaction:RAD-14 @req:RAD-14-SCP-09
  Scenario: What the series was requested for
    When the Acquisition Modality stores the study "ordered"
    And the Image Display queries at "SERIES" level of the study "ordered" by
      | SeriesInstanceUID |  |
    Then exactly the series of "ordered" with Modality "CT" are returned
    And the requirement "RAD-14-SCP-09" is met

  @transaction:RAD-14 @req:RAD-14-SCP-13
  Scenario: A hierarchical query without its unique key
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "SERIES" level without the study UID
    Then the requirement "RAD-14-SCP-13" is met

  @transaction:RAD-14 @req:RAD-14-SCP-13
  Scenario Outline: A hierarchical query with <what> for its unique key
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "SERIES" level by
      | StudyInstanceUID | <key> |
    Then the requirement "RAD-14-SCP-13" is met

    Examples:
      | what       | key                    |
      | a wildcard | *                      |
      | a list     | studies of doe and kim |

  @transaction:RAD-14 @req:RAD-14-SCP-15
  Scenario: An optional key that nobody supports
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display queries at "STUDY" level for the unusual key "PatientReligiousPreference"
    Then the requirement "RAD-14-SCP-15" is met

  @quick @transaction:RAD-16 @req:RAD-16-SCP-01 @req:RAD-16-SCP-02 @req:RAD-16-SCP-06 @mesa:412
  Scenario Outline: Retrieve at <level> level
    Given the system under test holds the studies "doe, roe, kim"
    When the Acquisition Modality stores the study "kim" again
    And the Image Display retrieves "<level>" of "kim"
    Then exactly the instances that were asked for arrive
    And the exchange satisfies every "RAD-16" requirement

    Examples:
      | level  |
      | STUDY  |
      | SERIES |
      | IMAGE  |

  @transaction:RAD-16
  Scenario Outline: Everything of a patient in the Patient Root model, by <service>
    Given the system under test holds the studies "doe, roe, kim"
    When the Acquisition Modality stores the study "kim" again
    And the Image Display <verb> "PATIENT" of "kim"
    Then exactly the instances that were asked for arrive

    Examples:
      | service | verb      |
      | C-MOVE  | retrieves |
      | C-GET   | gets      |

  @transaction:RAD-16 @req:RAD-16-SCP-03
  Scenario: An unknown move destination
    Given the system under test holds the studies "doe, roe, kim"
    When the Image Display retrieves "STUDY" of "doe" to the unknown destination "NOWHERE"
    Then the requirement "RAD-16-SCP-03" is met

  @transaction:RAD-16 @req:RAD-16-SCP-04
  Scenario: The destination refuses some images
    Given the system under test holds the studies "doe, roe, kim"
    And the Image Display answers every SC object with "A700"
    When the Image Display retrieves "STUDY" of "kim"
    Then the requirement "RAD-16-SCP-04" is met
    And the requirement "RAD-16-SCP-02" is met

  @transaction:RAD-16 @req:RAD-16-SCP-08
  Scenario Outline: Retrieve with C-GET at <level> level
    Given the system under test holds the studies "doe, roe, kim"
    When the Acquisition Modality stores the study "kim" again
    And the Image Display gets "<level>" of "kim"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-16-SCP-08" is met

    Examples:
      | level  |
      | STUDY  |
      | SERIES |
      | IMAGE  |

  @transaction:RAD-14 @transaction:RAD-16 @req:RAD-14-SCP-16 @req:RAD-16-SCP-09
  Scenario: A query with many matches and retrieves of a long study are cancelled
    When the Acquisition Modality stores the study "long"
    And the Image Display queries and cancels at "IMAGE" level of the study "long" by
      | SOPInstanceUID |  |
    Then the requirement "RAD-14-SCP-16" is met
    When the Image Display retrieves and cancels "STUDY" of "long"
    And the Image Display gets and cancels "STUDY" of "long"
    Then the requirement "RAD-16-SCP-09" is met
