@profile:CPI @actor:image-display @transaction:RAD-16 @transaction:RAD-17
Feature: The display shows images and presentation states consistently
  The product under test is an Image Display. Every test object has one right picture: a display that exports pictures is
  judged by its pixels, otherwise the operator says what is on the screen.

  @manual
  Scenario Outline: The display shows: <object>
    When the system under test shows the test object "<object>"
    Then the operator confirms what the test object asks

    Examples:
      | object                     |
      | window of the image        |
      | monochrome1 of the image   |
      | photometric interpretation |
      | modality rescale           |
      | modality table             |
      | VOI window                 |
      | VOI table                  |
      | presentation inverse       |
      | presentation table         |
      | rotation 0, flip N         |
      | rotation 0, flip Y         |
      | rotation 90, flip N        |
      | rotation 90, flip Y        |
      | rotation 180, flip N       |
      | rotation 180, flip Y       |
      | rotation 270, flip N       |
      | rotation 270, flip Y       |
      | displayed area             |
      | true size                  |
      | graphics                   |
      | text                       |
      | layers                     |
      | shutters                   |
      | overlays                   |

  @manual @req:CPI-DISP-01
  Scenario: The display follows the standard display function
    When the system under test shows the test object "VOI window"
    Then the operator confirms "CPI-DISP-01": "Are the luminances of eighteen steps those of PS3.14, contrast within ten percent?"
