@profile:SWF @profile:SWF.b @actor:order-filler @transaction:RAD-5
Feature: RAD-5 Query Modality Worklist: a long answer is cancelled
  The product under test is a DSS/Order Filler; the Acquisition Modality is simulated.

  @req:RAD-5-SCP-27
  Scenario: A query with many matches is cancelled after the first
    Given the system under test has scheduled 400 steps of "doe" for today
    When the Acquisition Modality queries the worklist and cancels after 1 match
    Then the requirement "RAD-5-SCP-27" is met
