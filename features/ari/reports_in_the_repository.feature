@profile:ARI @actor:report-repository @transaction:RAD-26 @transaction:RAD-27
Feature: The report repository answers queries and delivers reports
  The product under test is a Report Repository; the Report Reader is simulated.

  @quick @req:RAD-26-SCP-01 @req:RAD-26-SCP-02 @req:RAD-27-SCP-01 @req:RAD-27-SCP-02 @req:ARI-ACT-04
  Scenario Outline: A <report>
    Given the system under test holds a "<report>"
    When the Report Reader looks for "SR" objects of that patient
    And the Report Reader retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-26" requirement
    And the exchange satisfies every "RAD-27" requirement

    Examples:
      | report             |
      | basic report       |
      | preliminary report |
      | measured report    |
      | Japanese report    |
      | Korean report      |
      | corrected report     |

  @req:RAD-26-SCP-03
  Scenario Outline: Reports are found by <key> in the <model> model
    When the Acquisition Modality stores the study "report"
    And the Acquisition Modality stores the study "measured report"
    And the Report Reader queries at "<level>" level in the "<model>" model by
      | <key> | <value> |
    Then exactly the studies of "<found>" are returned
    And the requirement "RAD-26-SCP-03" is met

    Examples:
      | key             | value                    | found                   | model        | level |
      | PatientID       | ID of report             | report                  | Study Root   | STUDY |
      | PatientID       | ID of report             | report                  | Patient Root | STUDY |
      | PatientName     | name of measured report  | measured report         | Patient Root | PATIENT |
      | AccessionNumber | accession of report      | report                  | Study Root   | STUDY |
      | StudyDate       | date of measured report  | measured report         | Study Root   | STUDY |
      | PatientName     | name of measured report  | measured report         | Study Root   | STUDY |
      | StudyDate       | range of all             | report, measured report | Study Root   | STUDY |

  @req:RAD-26-SCP-03
  Scenario: A report is found by a name in Japanese characters
    When the Acquisition Modality stores the study "Japanese report"
    And the Report Reader queries at "STUDY" level by
      | PatientName | name of Japanese report    |
      | PatientID   | ID of Japanese report |
    Then exactly the studies of "Japanese report" are returned
    And the requirement "RAD-26-SCP-03" is met

  @req:RAD-26-SCP-04
  Scenario: A hierarchical query without its unique key
    When the Acquisition Modality stores the study "report"
    And the Report Reader queries at "SERIES" level without the study UID
    Then the requirement "RAD-26-SCP-04" is met

  @req:RAD-27-SCP-04
  Scenario Outline: A report is retrieved at <level> level
    When the Acquisition Modality stores the study "measured report"
    And the Report Reader retrieves "<level>" of "measured report"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-27-SCP-04" is met

    Examples:
      | level  |
      | STUDY  |
      | SERIES |
      | IMAGE  |

  @req:RAD-27-SCP-04
  Scenario Outline: A report is got by C-GET at <level> level
    When the Acquisition Modality stores the study "measured report"
    And the Report Reader gets "<level>" of "measured report"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-27-SCP-04" is met

    Examples:
      | level  |
      | STUDY  |
      | IMAGE  |

  @req:RAD-27-SCP-05
  Scenario: Retrieves of many reports are cancelled once the first is there
    When the Acquisition Modality stores the study "many reports"
    And the Report Reader retrieves and cancels "STUDY" of "many reports"
    And the Report Reader gets and cancels "STUDY" of "many reports"
    Then the requirement "RAD-27-SCP-05" is met

  @req:RAD-27-SCP-04
  Scenario: An unknown move destination
    When the Acquisition Modality stores the study "report"
    And the Report Reader retrieves "STUDY" of "report" to the unknown destination "NOWHERE"
    Then the requirement "RAD-27-SCP-04" is met
