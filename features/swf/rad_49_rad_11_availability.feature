@profile:SWF @profile:SWF.b @actor:image-manager @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8
Feature: RAD-49 and RAD-11: which images are available
  The product under test is an Image Manager/Archive that tells an Order Filler what it has.

  Background:
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       |
      | S1   | doe     | CT       | today 09:00 |

  @quick @option:availability-of-pps-referenced-instances @mesa:134 @transaction:RAD-49 @transaction:RAD-16 @req:RAD-49-SCU-01 @req:RAD-49-SCU-02 @req:RAD-49-SCU-03 @req:RAD-49-SCU-04 @req:RAD-49-SCU-05 @req:RAD-49-SCU-06 @req:RAD-49-SCU-07 @req:RAD-6-SCP-10 @mesa:161 @mesa:162
  Scenario: The notice comes when the step has ended and everything is there
    When the Acquisition Modality performs "S1" with 2 images
    Then an "N-CREATE-RQ" reaches the "DSS/Order Filler"
    When the Image Display retrieves "STUDY" of "S1"
    Then the exchange satisfies every "RAD-49" requirement
    And the requirement "RAD-6-SCP-10" is met

  @option:availability-of-pps-referenced-instances @transaction:RAD-49 @req:RAD-49-SCU-04 @req:EX-29
  Scenario: The notice waits for an image that is missing
    When the Acquisition Modality starts "S1"
    And the Acquisition Modality ends "S1" with 3 images, storing all but 1
    Then the system under test has had the time to announce what is available
    And the requirement "EX-29" is met
    When the Acquisition Modality stores what it held back
    Then an "N-CREATE-RQ" reaches the "DSS/Order Filler"
    And the requirement "RAD-49-SCU-04" is met
    And the requirement "RAD-49-SCU-05" is met

  @transaction:RAD-11 @req:RAD-11-SCP-01 @req:SWF-ACT-06
  Scenario: The Order Filler asks for what is there
    When the Acquisition Modality performs "S1" with 2 images
    And the Order Filler asks the archive which images of "S1" it has
    Then the requirement "RAD-11-SCP-01" is met
    And the requirement "SWF-ACT-06" is met

  @transaction:RAD-11 @req:EX-29
  Scenario: The Order Filler asks while an image is missing
    When the Acquisition Modality starts "S1"
    And the Acquisition Modality ends "S1" with 3 images, storing all but 1
    And the Order Filler asks the archive which images of "S1" it has
    Then the requirement "EX-29" is met
