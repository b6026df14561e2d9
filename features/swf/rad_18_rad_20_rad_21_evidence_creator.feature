@profile:SWF @profile:SWF.b @actor:evidence-creator @transaction:RAD-18 @transaction:RAD-10
Feature: RAD-18, RAD-20 and RAD-21: an evidence creator derives images
  The product under test is an Evidence Creator; archive and PPS Manager are simulated.

  @quick @mesa:281 @req:RAD-18-SCU-01 @req:RAD-18-SCU-02 @req:RAD-18-SCU-03
  Scenario: Derived images are stored and committed
    Given the Image Manager holds the studies "doe"
    When the system under test creates evidence of the study "doe"
    Then a "C-STORE-RQ" reaches the "Image Manager/Archive"
    And an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-18" requirement
    And the exchange satisfies every "RAD-10" requirement

  @quick @option:creator-performed-procedure-step @transaction:RAD-20 @transaction:RAD-21 @mesa:282 @req:RAD-20-SCU-01 @req:RAD-21-SCU-01 @req:RAD-18-SCU-04 @mesa:1701
  Scenario: The work is reported as a step of its own
    Given the Image Manager holds the studies "kim"
    When the system under test creates evidence of the study "kim"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the exchange satisfies every "RAD-20" requirement
    And the exchange satisfies every "RAD-21" requirement
    And the exchange satisfies every "RAD-18" requirement
    And the requirement "RAD-18-SCU-04" is met

  @transaction:RAD-18 @req:RAD-10-SCU-07
  Scenario: One derived image could not be committed
    Given the Image Manager holds the studies "doe"
    And the Image Manager reports commitment with 1 failed instance
    When the system under test creates evidence of the study "doe"
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-10" requirement
