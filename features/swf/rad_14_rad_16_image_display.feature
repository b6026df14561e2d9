@profile:SWF @profile:SWF.b @profile:CPI @profile:ARI @actor:image-display @transaction:RAD-14
Feature: RAD-14 and RAD-16: a display looks for images and gets them
  The product under test is an Image Display; the archive is simulated and holds three known studies.

  Background:
    Given the Image Manager holds the studies "doe, roe, kim"

  @quick @mesa:501 @req:RAD-14-SCU-01 @req:RAD-14-SCU-07
  Scenario Outline: Studies are found by <keyword> "<value>"
    When the system under test queries at "STUDY" level by
      | <keyword> | <value> |
      | StudyInstanceUID |  |
    Then a "C-FIND-RQ" reaches the "Image Manager/Archive"
    And the requirement "<requirement>" is met
    And the exchange satisfies every "RAD-14" requirement

    Examples:
      | keyword           | value            | requirement   |
      | PatientName       | ROE*             | RAD-14-SCU-02 |
      | PatientID         | ID of roe        | RAD-14-SCU-03 |
      | AccessionNumber   | accession of kim | RAD-14-SCU-04 |
      | StudyDate         | date of doe      | RAD-14-SCU-05 |
      | StudyDate         | range of all     | RAD-14-SCU-05 |
      | ModalitiesInStudy | CT               | RAD-14-SCU-06 |

  @mesa:501 @req:RAD-14-SCU-03
  Scenario: The key that was asked for narrows the answer
    When the system under test queries at "STUDY" level by
      | PatientID | ID of roe |
    Then a "C-FIND-RQ" reaches the "Image Manager/Archive"
    And the query was answered with 1 match
    And the requirement "RAD-14-SCU-03" is met

  @mesa:502 @req:RAD-14-SCU-08
  Scenario: The series of a study are listed
    When the system under test queries at "SERIES" level by
      | StudyInstanceUID | study of kim |
    Then a "C-FIND-RQ" reaches the "Image Manager/Archive"
    And the query was answered with 2 matches
    And the exchange satisfies every "RAD-14" requirement

  @req:EX-27
  Scenario: A study that nobody has is not found, and the user is told so
    When the system under test queries at "STUDY" level by
      | PatientID | NOBODY |
    Then a "C-FIND-RQ" reaches the "Image Manager/Archive"
    And the query was answered with 0 matches
    And the requirement "EX-27" is met

  @quick @mesa:503 @transaction:RAD-16 @req:RAD-16-SCU-01 @req:RAD-16-SCU-02
  Scenario: A study is retrieved
    When the system under test retrieves "STUDY" of "kim"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "kim" was delivered to the product
    And the exchange satisfies every "RAD-16" requirement

  @mesa:504 @transaction:RAD-16 @req:RAD-16-SCU-01 @req:RAD-16-SCU-02
  Scenario: A study is retrieved series by series
    When the system under test retrieves "SERIES" of "kim"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "kim" was delivered to the product
    And the exchange satisfies every "RAD-16" requirement

  @transaction:RAD-16 @req:EX-27
  Scenario: The archive does not know where to deliver, and the user is told so
    Given the Image Manager answers every retrieve with "A801"
    When the system under test retrieves "STUDY" of "doe"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And the requirement "EX-27" is met

  @transaction:RAD-16 @req:EX-27
  Scenario: A retrieve fails in part, and the user is told so
    Given the Image Manager answers the next retrieve with "B000 for 1 image"
    When the system under test retrieves "STUDY" of "kim"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And the requirement "EX-27" is met

  @manual @transaction:RAD-16 @req:RAD-16-SCU-03
  Scenario: The operator sees images with the names of patient and study
    When the system under test retrieves "STUDY" of "doe"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "doe" was delivered to the product
    And the operator confirms "RAD-16-SCU-03": "The product shows the retrieved images with the name and ID of the patient and what identifies the study."
