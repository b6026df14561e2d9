@profile:SWF @profile:SWF.b @actor:acquisition-modality @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8
Feature: Other workflow cases of the modality
  Unscheduled, discontinued, append, group and a procedure other than the scheduled one.

  @quick @case:unscheduled @mesa:201 @req:RAD-6-SCU-10 @req:EX-17 @req:XC-29
  Scenario: An unscheduled patient is registered by hand
    When the system under test performs an unscheduled examination of "roe" with 2 images
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 2 images reach the Image Manager
    And the requirement "EX-17" is met
    And the requirement "XC-29" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:abandoned @mesa:241 @req:RAD-7-SCU-10 @req:EX-04
  Scenario: A step is abandoned before any image
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | MR       | today 09:00 |
    When the system under test abandons "S1" after 0 images for the reason "110513"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "EX-04" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:abandoned @mesa:241 @req:EX-05
  Scenario: A step is discontinued after some images
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | MR       | today 09:00 |
    When the system under test abandons "S1" after 2 images for the reason "110501"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 2 images reach the Image Manager
    And the requirement "EX-05" is met
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:append @mesa:231 @req:RAD-6-SCU-13 @req:EX-19 @req:XC-31
  Scenario: Images are appended after the step was completed
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test performs "S1" with 2 images
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    When the system under test appends 1 image to "S1"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "EX-19" is met
    And the requirement "XC-31" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:group @mesa:221 @option:modality-group-case @req:RAD-6-SCU-11 @req:EX-20 @req:XC-30
  Scenario: Two steps of one procedure are performed together
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P1        | O1    |
    When the system under test performs "S1, S2" with 2 images
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 2 images reach the Image Manager
    And the requirement "EX-20" is met
    And the requirement "XC-30" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:group @mesa:222 @option:modality-group-case @req:RAD-6-SCU-12 @req:EX-21 @req:RAD-8-SCU-16
  Scenario: Two procedures of two orders are performed together
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P2        | O2    |
    When the system under test performs "S1, S2" with 2 images
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 2 images reach the Image Manager
    And the requirement "EX-21" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:different @mesa:215 @req:RAD-6-SCU-14 @req:EX-18
  Scenario: Another procedure than the scheduled one is performed
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test performs "S1" with 2 images, but another procedure
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "EX-18" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
