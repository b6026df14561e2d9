@profile:CPI @actor:acquisition-modality @transaction:RAD-9
Feature: RAD-9 Modality Presentation State Stored: the modality makes presentation states
  The product under test is an Acquisition Modality; Order Filler and Image Manager are simulated.

  @quick @transaction:RAD-8 @transaction:RAD-10 @req:RAD-9-SCU-01 @req:RAD-9-SCU-02 @req:RAD-9-SCU-03 @req:RAD-9-SCU-04 @req:RAD-9-SCU-05 @req:RAD-9-SCU-06 @req:RAD-9-SCU-07
  Scenario: A presentation state for an acquired image
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    When the system under test performs "S1" with 1 image
    And the system under test creates a presentation state for its last image
    Then a "C-STORE-RQ" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-9" requirement

  @transaction:RAD-8 @transaction:RAD-10 @req:RAD-9-SCU-08 @req:RAD-9-SCU-10 @req:CPI-ACT-01 @req:XC-33
  Scenario: Presentation states are committed, and a second one is a new instance
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | roe     | CR       | today 10:00 |
    When the system under test performs "S1" with 1 image
    And the system under test creates a presentation state for its last image
    And the system under test creates a presentation state for its last image
    Then a "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And the requirement "RAD-9-SCU-08" is met
    And the requirement "RAD-9-SCU-10" is met
    And the requirement "CPI-ACT-01" is met
    And the requirement "XC-33" is met
