@profile:SWF @profile:SWF.b @actor:acquisition-modality @transaction:RAD-5 @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8 @transaction:RAD-10
Feature: Simple case: one scheduled step, one performed step
  From the worklist to committed images; every message is judged, and all of them together.

  @quick @case:simple @mesa:211 @req:RAD-6-SCU-01 @req:RAD-6-SCU-06 @req:RAD-7-SCU-01 @req:RAD-8-SCU-03 @req:RAD-10-SCU-01 @req:XC-11 @req:XC-17
  Scenario: A scheduled step is performed, stored and committed
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test performs "S1" with 3 images
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 3 images reach the Image Manager
    And an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-5" requirement
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement
    And the exchange satisfies every "RAD-10" requirement

  @quick @case:simple @req:RAD-7-SCU-05 @req:XC-17
  Scenario: A rejected image stays out of the step
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | kim     | DX       | today 09:00 |
    When the system under test performs "S1" with 4 images, rejecting 1
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 3 images reach the Image Manager
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:simple @req:RAD-5-SCU-20 @req:XC-26 @req:XC-27
  Scenario Outline: A <language> name goes unharmed through all messages
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | <patient> | CT       | today 09:00 |
    When the system under test performs "S1" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 1 image reaches the Image Manager
    And the requirement "RAD-5-SCU-20" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-8" requirement

    Examples:
      | language | patient  |
      | Korean   | hong     |
      | Japanese | yamada   |
      | Chinese  | wang     |
      | Unicode  | wang-utf |

  @case:simple @req:RAD-5-SCU-20 @req:XC-26
  Scenario: A German name goes unharmed through all messages
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | mueller | CT       | today 09:00 |
    When the system under test performs "S1" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 1 image reaches the Image Manager
    And the requirement "RAD-5-SCU-20" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:simple @req:RAD-10-SCU-06 @mesa:251
  Scenario: The commitment report comes on a new association
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager reports commitment on a new association
    When the system under test performs "S1" with 2 images
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-10" requirement

  @case:simple @req:RAD-10-SCU-05
  Scenario: The commitment report comes on the same association
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager reports commitment on the same association
    When the system under test performs "S1" with 2 images, staying for the commitment report
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-10" requirement

  @case:simple @req:EX-22 @req:RAD-10-SCU-07
  Scenario: One instance could not be committed
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager reports commitment with 1 failed instance
    When the system under test performs "S1" with 2 images
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the requirement "EX-22" is met
    And the exchange satisfies every "RAD-10" requirement

  @case:simple @req:RAD-8-SCU-19 @req:EX-26
  Scenario: The archive refuses an image once
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager answers the next image with "A700"
    When the system under test performs "S1" with 2 images
    Then a "C-STORE-RQ" reaches the "Image Manager/Archive"
    And the system under test has had the time to send the refused image again
    And the requirement "RAD-8-SCU-19" is met
    And the requirement "EX-26" is met
