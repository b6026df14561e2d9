@actor:evidence-creator
Feature: RAD-29 and RAD-43: key image notes and evidence documents are made
  The product under test is an Evidence Creator; the archive that holds the images is simulated.

  @quick @profile:ARI @profile:KIN @transaction:RAD-29 @req:RAD-29-OBJ-01 @req:RAD-29-OBJ-02 @req:RAD-29-OBJ-04 @req:RAD-29-OBJ-05 @req:RAD-29-OBJ-06
  Scenario: A key image note on the images of a study
    Given the Image Manager holds the studies "doe"
    When the system under test creates a key image note of the study "doe"
    Then the exchange satisfies every "RAD-29" requirement

  @profile:ARI @profile:KIN @transaction:RAD-29 @req:RAD-29-OBJ-02 @req:RAD-29-OBJ-03
  Scenario: A rejection gives its reason
    Given the Image Manager holds the studies "doe"
    When the system under test creates a rejection note of the study "doe"
    Then the exchange satisfies every "RAD-29" requirement

  @profile:ARI @profile:KIN @transaction:RAD-29 @req:RAD-29-OBJ-05 @req:RAD-29-OBJ-06
  Scenario: A key image note on images of two studies lies in both
    Given the Image Manager holds the studies "doe, later study of doe"
    When the system under test creates a key image note of the study "doe, later study of doe"
    Then the exchange satisfies every "RAD-29" requirement

  @quick @profile:ARI @profile:ED @transaction:RAD-43 @req:RAD-43-OBJ-01 @req:RAD-43-OBJ-02 @req:RAD-43-OBJ-03
  Scenario: An evidence document with a measurement
    Given the Image Manager holds the studies "doe"
    When the system under test creates an evidence document of the study "doe"
    Then the exchange satisfies every "RAD-43" requirement
