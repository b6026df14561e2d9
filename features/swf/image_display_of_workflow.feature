@profile:SWF @profile:SWF.b @actor:image-display @transaction:RAD-14
Feature: A display in the workflow looks for images and gets them
  The product under test is an Image Display; the archive is simulated and holds three known studies.

  Background:
    Given the Image Manager holds the studies "doe, roe, kim"

  @mesa:501 @mesa:503 @transaction:RAD-16 @req:SWF-ACT-08
  Scenario: A study is looked for and then retrieved
    When the system under test queries at "STUDY" level by
      | PatientID | ID of kim |
    And the system under test retrieves "STUDY" of "kim"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "kim" was delivered to the product
    And the requirement "SWF-ACT-08" is met
