@profile:ARI @actor:image-manager
Feature: The archive finds and delivers key image notes and evidence documents
  The product under test is an Image Manager/Archive; modality and display are simulated.

  @quick @profile:KIN @transaction:RAD-30 @transaction:RAD-31 @req:RAD-30-SCP-01 @req:RAD-31-SCP-01
  Scenario Outline: A <note>
    When the Acquisition Modality stores a study with a "<note>"
    And the Image Display looks for "KO" objects of that patient
    And the Image Display retrieves that study
    Then every stored object comes back
    And the requirement "RAD-30-SCP-01" is met
    And the requirement "RAD-31-SCP-01" is met

    Examples:
      | note           |
      | note           |
      | rejection note |

  @profile:ED @transaction:RAD-44 @transaction:RAD-45 @req:RAD-44-SCP-01
  Scenario: An evidence document with measurements
    When the Acquisition Modality stores a study with a "measured report"
    And the Image Display looks for "SR" objects of that patient
    And the Image Display retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-44" requirement

  @transaction:RAD-16 @transaction:RAD-31 @transaction:RAD-45 @req:RAD-16-SCP-08
  Scenario Outline: A <document> is got by C-GET
    When the Acquisition Modality stores a study with a "<document>"
    And the Image Display gets that study
    Then every stored object comes back
    And the requirement "RAD-16-SCP-08" is met

    Examples:
      | document        |
      | note            |
      | measured report |

  @transaction:RAD-15 @transaction:RAD-17 @req:RAD-15-SCP-01 @req:RAD-15-SCP-03 @req:RAD-17-SCP-01
  Scenario: A presentation state for a reader of images
    When the Acquisition Modality stores the test object "VOI window" with its presentation state
    And the Image Display looks for "PR" objects of that patient
    And the Image Display retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-15" requirement
    And the exchange satisfies every "RAD-17" requirement

  @transaction:RAD-14 @transaction:RAD-16 @req:ARI-ACT-06
  Scenario: Images for a reader
    When the Acquisition Modality stores a study with a "note"
    And the Image Display looks for "KO" objects of that patient
    And the Image Display retrieves that study
    Then the requirement "ARI-ACT-06" is met
