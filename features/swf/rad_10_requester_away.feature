@profile:SWF @profile:SWF.b @actor:image-manager @transaction:RAD-8 @transaction:RAD-10
Feature: RAD-10: the requester of a commitment cannot be reached for a while
  The product under test is an Image Manager/Archive; the modality stores, asks, and does not listen.

  @req:RAD-10-SCP-06
  Scenario: The result is repeated when the modality listens again
    Given the "Acquisition Modality" is down
    When the Acquisition Modality stores the study "ct of doe"
    And the Acquisition Modality asks for commitment of the study "ct of doe"
    And the "Acquisition Modality" is up again
    Then an "N-EVENT-REPORT-RQ" reaches the "Acquisition Modality"
    And the requirement "RAD-10-SCP-06" is met
    And the exchange satisfies every "RAD-10" requirement
