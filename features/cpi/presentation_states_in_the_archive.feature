@profile:CPI @actor:image-manager @transaction:RAD-9 @transaction:RAD-15 @transaction:RAD-17
Feature: The archive keeps, finds and delivers presentation states
  The product under test is an Image Manager/Archive; modality and display are simulated.

  @quick @req:RAD-9-SCP-01 @req:RAD-15-SCP-01 @req:RAD-15-SCP-03 @req:RAD-17-SCP-01 @req:CPI-ACT-03
  Scenario Outline: An image and its presentation state: <object>
    When the Acquisition Modality stores the test object "<object>" with its presentation state
    And the Image Display looks for "PR" objects of that patient
    And the Image Display retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-9" requirement
    And the exchange satisfies every "RAD-15" requirement
    And the exchange satisfies every "RAD-17" requirement

    Examples:
      | object              |
      | VOI window          |
      | presentation table  |
      | graphics            |
      | shutters            |
      | overlays            |

  @transaction:RAD-16 @req:RAD-16-SCP-01 @req:RAD-16-SCP-02
  Scenario Outline: Image and presentation state are retrieved at <level> level
    When the Acquisition Modality stores the study "presentation state"
    And the Image Display retrieves "<level>" of "presentation state"
    Then exactly the instances that were asked for arrive
    And the exchange satisfies every "RAD-17" requirement
    And the requirement "RAD-16-SCP-01" is met
    And the requirement "RAD-16-SCP-02" is met

    Examples:
      | level  |
      | STUDY  |
      | SERIES |
      | IMAGE  |

  @transaction:RAD-16 @req:RAD-16-SCP-03
  Scenario: Presentation states are not sent to a stranger
    When the Acquisition Modality stores the study "presentation state"
    And the Image Display retrieves "STUDY" of "presentation state" to the unknown destination "NOWHERE"
    Then the requirement "RAD-16-SCP-03" is met

  @transaction:RAD-16 @req:RAD-16-SCP-08
  Scenario: Image and presentation state are got by C-GET
    When the Acquisition Modality stores the study "presentation state"
    And the Image Display gets "STUDY" of "presentation state"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-16-SCP-08" is met
