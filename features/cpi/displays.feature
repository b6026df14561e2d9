@profile:CPI @actor:image-display @transaction:RAD-16 @transaction:RAD-17
Feature: The display shows images and presentation states consistently
  The product under test is an Image Display. Every test object has one right picture: a display that exports pictures is
  judged by its pixels, otherwise the operator says what is on the screen; the report shows both beside each other.

  Scenario Outline: The display shows: <object>
    When the system under test shows the test object "<object>"
    Then the display shows what the test object asks

    Examples:
      | object                              |
      | window of the image                 |
      | monochrome1 of the image            |
      | presentation state                  |
      | everything together                 |
      | photometric interpretation          |
      | modality rescale                    |
      | modality table                      |
      | mask subtraction                    |
      | VOI window                          |
      | VOI table                           |
      | VOI sigmoid                         |
      | VOI table of signed values          |
      | presentation inverse                |
      | presentation table                  |
      | rotation 0, flip N                  |
      | rotation 0, flip Y                  |
      | rotation 90, flip N                 |
      | rotation 90, flip Y                 |
      | rotation 180, flip N                |
      | rotation 180, flip Y                |
      | rotation 270, flip N                |
      | rotation 270, flip Y                |
      | displayed area                      |
      | true size                           |
      | magnify                             |
      | pixels that are not square          |
      | graphics                            |
      | text                                |
      | layers                              |
      | shutters                            |
      | bitmap shutter                      |
      | overlays                            |
      | overlay of the state                |
      | image that the state does not name  |
      | frame with a window of its own      |

  @req:CPI-DISP-01
  Scenario: The display follows the standard display function
    When the luminance of the display is measured
    Then the requirement "CPI-DISP-01" is met

  @transaction:RAD-15 @req:RAD-15-SCU-01 @req:CPI-ACT-04
  Scenario: Presentation states of a study are found and retrieved
    Given the Image Manager holds the studies "presentation state"
    When the system under test queries at "SERIES" level by
      | StudyInstanceUID | study of presentation state |
      | Modality         | PR                          |
    And the system under test queries at "IMAGE" level by
      | StudyInstanceUID          | study of presentation state  |
      | SeriesInstanceUID         | series of presentation state |
      | ContentLabel              |                              |
      | PresentationCreationDate  |                              |
      | PresentationCreationTime  |                              |
    And the system under test retrieves "STUDY" of "presentation state"
    Then a "C-MOVE-RQ" reaches the "Image Manager/Archive"
    And every image of "presentation state" was delivered to the product
    And the requirement "RAD-15-SCU-01" is met
    And the requirement "CPI-ACT-04" is met
