@profile:SWF @profile:SWF.b @actor:image-manager
Feature: The archive stores and commits
  The product under test is an Image Manager/Archive; modality and display are simulated.

  @quick @transaction:RAD-8 @req:RAD-8-SCP-01 @req:RAD-8-SCP-04
  Scenario: Images of every declared class are stored
    When the Acquisition Modality stores the study "one of each class"
    Then the requirement "RAD-8-SCP-01" is met
    And the exchange satisfies every "RAD-8" requirement

  @transaction:RAD-8 @transaction:RAD-14 @req:RAD-8-SCP-05
  Scenario: Storing an instance twice leaves one
    When the Acquisition Modality stores the study "ct of doe"
    And the Acquisition Modality stores the study "ct of doe" again
    And the Image Display queries at "IMAGE" level of the study "ct of doe" by
      | SOPInstanceUID | |
    Then exactly the images of "ct of doe" are returned
    And the requirement "RAD-8-SCP-05" is met

  @quick @transaction:RAD-10 @req:RAD-10-SCP-01 @req:RAD-10-SCP-02 @mesa:405
  Scenario: Commitment of stored instances succeeds
    When the Acquisition Modality stores the study "ct of doe"
    And the Acquisition Modality asks for commitment of the study "ct of doe"
    Then an "N-EVENT-REPORT-RQ" reaches the "Acquisition Modality"
    And the exchange satisfies every "RAD-10" requirement

  @transaction:RAD-10 @req:RAD-10-SCP-03 @req:RAD-10-SCP-04 @mesa:405
  Scenario: Commitment of an unknown instance is reported as failed
    When the Acquisition Modality stores the study "ct of doe"
    And the Acquisition Modality asks for commitment of the study "ct of doe" and one instance that was never stored
    Then an "N-EVENT-REPORT-RQ" reaches the "Acquisition Modality"
    And the exchange satisfies every "RAD-10" requirement

  @transaction:RAD-8 @transaction:RAD-10 @transaction:RAD-14 @transaction:RAD-16 @req:SWF-ACT-05
  Scenario: A study is stored, committed to, found and delivered
    When the Acquisition Modality stores the study "ct of doe"
    And the Acquisition Modality asks for commitment of the study "ct of doe"
    Then an "N-EVENT-REPORT-RQ" reaches the "Acquisition Modality"
    When the Image Display queries at "IMAGE" level of the study "ct of doe" by
      | SOPInstanceUID | |
    Then exactly the images of "ct of doe" are returned
    When the Image Display retrieves "STUDY" of "ct of doe"
    Then exactly the instances that were asked for arrive
    And the requirement "SWF-ACT-05" is met
