@profile:SWF @profile:SWF.b @actor:acquisition-modality @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8
Feature: Exams one after the other, and exams that meet trouble
  Several steps in sequence, the wrong worklist entry, and partners that are away, slow or break off.

  @case:two-steps @mesa:213 @req:RAD-6-SCU-08
  Scenario: Two steps of one procedure are performed one after the other
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P1        | O1    |
    When the system under test performs "S1" with 2 images
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    When the system under test performs "S2" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 1 image reaches the Image Manager
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:two-steps @mesa:214 @req:RAD-6-SCU-08
  Scenario: Two procedures of one order are performed one after the other
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P2        | O1    |
    When the system under test performs "S1" with 2 images
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    When the system under test performs "S2" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 1 image reaches the Image Manager
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @option:assisted-acquisition-protocol-setting @case:protocol @mesa:216 @req:RAD-6-SCU-15
  Scenario: The protocol is set by the worklist
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test performs "S1" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "RAD-6-SCU-15" is met

  @option:billing-and-material-management @case:billing @mesa:218 @req:RAD-7-SCU-14 @mesa:110
  Scenario: What has to be billed is reported
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test performs "S1" with 1 image
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "RAD-7-SCU-14" is met
    And the exchange satisfies every "RAD-7" requirement

  @quick @case:simple @req:RAD-6-SCU-01 @req:RAD-7-SCU-01
  Scenario: The step is announced when it starts, not when it ends
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    When the system under test starts "S1" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    When the system under test ends "S1" with 1 more image
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @option:pps-exception-management @case:wrong-entry @mesa:242 @req:RAD-7-SCU-12 @req:RAD-7-SCU-13 @req:EX-06
  Scenario: The wrong worklist entry was selected
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
      | S2   | roe     | CT       | today 09:10 |
    When the system under test abandons "S1" after 2 images for the reason "110514"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    When the system under test moves the images of the wrong entry to "S2"
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 2 images reach the Image Manager
    And the requirement "RAD-7-SCU-12" is met
    And the requirement "RAD-7-SCU-13" is met
    And the requirement "EX-06" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @transaction:RAD-10 @req:RAD-10-SCU-06 @req:EX-23
  Scenario: The commitment report comes late
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager reports commitment on a new association 2 seconds later
    When the system under test performs "S1" with 1 image
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the requirement "EX-23" is met
    And the exchange satisfies every "RAD-10" requirement

  @transaction:RAD-10 @req:RAD-10-SCU-06
  Scenario: The commitment report comes twice
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager reports commitment twice
    When the system under test performs "S1" with 1 image
    Then an "N-ACTION-RQ" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And an "N-EVENT-REPORT-RSP" reaches the "Image Manager/Archive"
    And the exchange satisfies every "RAD-10" requirement

  @req:EX-26
  Scenario: The archive breaks off in the middle
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager answers the next image with "A-ABORT"
    When the system under test performs "S1" with 2 images
    Then a "C-STORE-RQ" reaches the "Image Manager/Archive"
    And the system under test has had the time to send the refused image again
    And the requirement "EX-26" is met

  @req:RAD-7-SCU-09
  Scenario: The end of the step does not wait for a slow archive
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CR       | today 09:00 |
    And the Image Manager answers the next image with "0000 after 3 seconds"
    When the system under test performs "S1" with 1 image
    Then an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the system under test has had the time to wait for the late answer
    And the requirement "RAD-7-SCU-09" is met

  @transaction:RAD-5 @case:unscheduled @req:EX-25
  Scenario: The worklist provider is down
    Given the "DSS/Order Filler" is down
    When the system under test performs an unscheduled examination of "roe" with 1 images
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And 1 image reaches the Image Manager
    And the requirement "EX-25" is met

  @req:RAD-6-SCU-17
  Scenario: The PPS Manager is down for a while
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |
    And the "PPS Manager" is down
    When the system under test performs "S1" with 1 image
    And the "PPS Manager" is up again
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "RAD-6-SCU-17" is met
    And the exchange satisfies every "RAD-7" requirement
