@profile:PDI @transaction:RAD-47 @manual
Feature: RAD-47 Distribute Imaging Information on Media: displays, report readers and print composers read
  The product under test opens media of a simulated creator. What it shows is seen by its operator only.

  @actor:image-display @mesa:1931 @req:RAD-47-IDP-01 @req:PDI-ACT-02
  Scenario Outline: An Image Display shows <content> of a <form>
    When the system under test reads a "<form>" with "<content>"
    Then the operator confirms "RAD-47-IDP-01": "Does the product show every image of the medium, and apply the presentation state if it claims to?"
    And the operator confirms "PDI-ACT-02": "Could the medium be opened without any preparation?"

    Examples:
      | form      | content              |
      | ISO image | two patients         |
      | folder    | names of all scripts |
      | folder    | compressed images    |
      | folder    | every kind of object |

  @actor:image-display @mesa:1932 @req:RAD-47-IDP-02
  Scenario: An Image Display names what it cannot show
    When the system under test reads a "folder" with "a foreign class"
    Then the operator confirms "RAD-47-IDP-02": "Does the product say that one object cannot be shown, and show the others?"

  @actor:image-display @option:privacy-protection @req:RAD-47-IDP-01
  Scenario Outline: An Image Display opens a protected <form> with its password alone
    When the system under test reads a "protected <form>" with "two patients"
    Then the operator confirms "RAD-47-IDP-01": "Did the product show nothing of the medium before the password was entered, and every image afterwards?"

    Examples:
      | form      |
      | ISO image |
      | folder    |

  @actor:report-reader @mesa:1931 @req:RAD-47-RRD-01
  Scenario: A Report Reader shows reports
    When the system under test reads a "ISO image" with "every kind of object"
    Then the operator confirms "RAD-47-RRD-01": "Does the product show the text of the report with its patient, and does it open the image that the report refers to?"

  @actor:report-reader @mesa:1932 @req:RAD-47-RRD-02
  Scenario: A Report Reader names what it cannot show
    When the system under test reads a "folder" with "a foreign class"
    Then the operator confirms "RAD-47-RRD-02": "Does the product say which objects it cannot show?"

  @actor:print-composer @mesa:1931 @req:RAD-47-PCO-01
  Scenario: A Print Composer prints from a medium
    When the system under test reads a "folder" with "two patients"
    Then the operator confirms "RAD-47-PCO-01": "Does the film carry the name and identifier of the right patient beside each image?"

  @actor:display @option:web-content @mesa:1931 @req:RAD-47-WEB-11
  Scenario: A browser shows the pages
    When the system under test reads a "folder" with "names of all scripts"
    Then the operator confirms "RAD-47-WEB-11": "Does INDEX.HTM open in the browser, do all links work, and are all names readable, Chinese, Japanese and Korean ones too?"
