@profile:CPI @actor:evidence-creator @transaction:RAD-19
Feature: RAD-19 Creator Presentation State Stored: an evidence creator makes presentation states
  The product under test is an Evidence Creator; the Image Manager is simulated.

  @quick @req:RAD-9-SCU-01 @req:RAD-9-SCU-02 @req:RAD-9-SCU-03 @req:RAD-9-SCU-04 @req:RAD-9-SCU-05 @req:RAD-9-SCU-06 @req:RAD-9-SCU-07
  Scenario: A presentation state for images that others acquired
    Given the Image Manager holds the studies "doe"
    When the system under test creates a presentation state of the study "doe"
    Then the exchange satisfies every "RAD-19" requirement

  @transaction:RAD-18 @transaction:RAD-10 @req:CPI-ACT-02 @req:RAD-9-SCU-10
  Scenario: Derived images and presentation states are both stored and committed
    Given the Image Manager holds the studies "doe"
    When the system under test creates evidence of the study "doe"
    And the system under test creates a presentation state of the study "doe"
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And the requirement "CPI-ACT-02" is met
    And the requirement "RAD-9-SCU-10" is met
