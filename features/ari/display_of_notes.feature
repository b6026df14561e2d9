@profile:ARI @actor:image-display @transaction:RAD-14 @transaction:RAD-16
Feature: The display finds and retrieves images, key image notes and evidence documents
  The product under test is an Image Display; the archive is simulated.

  @transaction:RAD-30 @transaction:RAD-31 @req:RAD-30-SCU-01 @req:ARI-ACT-01
  Scenario: Key image notes of a study are found and retrieved
    Given the Image Manager holds the studies "key image note"
    When the system under test queries at "SERIES" level by
      | StudyInstanceUID | study of key image note |
      | Modality         | KO                      |
    And the system under test queries at "IMAGE" level by
      | StudyInstanceUID        | study of key image note  |
      | SeriesInstanceUID       | series of key image note |
      | ContentDate             |                          |
      | ContentTime             |                          |
      | ConceptNameCodeSequence |                          |
    And the system under test retrieves "STUDY" of "key image note"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "key image note" was delivered to the product
    And the requirement "RAD-30-SCU-01" is met
    And the requirement "ARI-ACT-01" is met

  @manual @transaction:RAD-31 @req:RAD-31-SCU-01
  Scenario: A key image note is shown with what it means
    Given the Image Manager holds the studies "key image note"
    When the system under test retrieves "STUDY" of "key image note"
    Then the operator confirms "RAD-31-SCU-01": "Does the display show the title Of Interest, the text Look here and which image is meant?"

  @transaction:RAD-44 @transaction:RAD-45 @req:RAD-44-SCU-01 @req:RAD-45-SCU-01
  Scenario: An evidence document is found, retrieved and shown with what it means
    Given the Image Manager holds the studies "measured report"
    When the system under test queries at "SERIES" level by
      | StudyInstanceUID | study of measured report |
      | Modality         | SR                       |
    And the system under test queries at "IMAGE" level by
      | StudyInstanceUID        | study of measured report  |
      | SeriesInstanceUID       | series of measured report |
      | CompletionFlag          |                           |
      | VerificationFlag        |                           |
      | ContentDate             |                           |
      | ContentTime             |                           |
      | ConceptNameCodeSequence |                           |
    And the system under test retrieves "STUDY" of "measured report"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "measured report" was delivered to the product
    And the requirement "RAD-44-SCU-01" is met
    And the operator confirms "RAD-45-SCU-01": "Does the product show title, patient, observer, status, every sentence and every number with its unit?"
