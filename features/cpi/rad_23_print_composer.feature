@profile:CPI @actor:print-composer @transaction:RAD-23
Feature: RAD-23 Print Request with Presentation LUT: the composer prints
  The product under test is a Print Composer; the Print Server is simulated and keeps every film as a picture.

  @quick @req:RAD-23-SCU-01 @req:RAD-23-SCU-02 @req:RAD-23-SCU-06 @req:RAD-23-SCU-08 @req:RAD-23-SCU-09 @req:RAD-23-SCU-10
  Scenario Outline: The film equals the softcopy: <object>
    When the system under test prints the test object "<object>"
    Then a film is printed on the Print Server
    And the exchange satisfies every "RAD-23" requirement

    Examples:
      | object                     |
      | VOI window                 |
      | photometric interpretation |
      | presentation inverse       |
      | modality rescale           |
      | rotation 90, flip Y        |

  @req:RAD-23-SCU-09 @req:RAD-23-SCU-10
  Scenario: Every image stands in its own box
    When the system under test prints the test object "VOI window; presentation inverse"
    Then a film is printed on the Print Server
    And the exchange satisfies every "RAD-23" requirement

  @req:RAD-23-SCU-10
  Scenario Outline: Nothing is printed on what the printer refused: <status> to the <operation>
    Given the Print Server answers the first <operation> with "<status>"
    When the system under test prints the test object "VOI window"
    Then the exchange satisfies every "RAD-23" requirement

    Examples:
      | operation        | status |
      | film box         | 0106   |
      | film session     | 0213   |
      | image box        | C603   |
      | image box        | C605   |
      | Presentation LUT | 0105   |
      | print            | C602   |

  @req:RAD-23-SCU-09 @req:RAD-23-SCU-10
  Scenario Outline: A warning of the printer is no reason to print something else: <status> to the <operation>
    Given the Print Server answers the first <operation> with "<status>"
    When the system under test prints the test object "VOI window"
    Then the exchange satisfies every "RAD-23" requirement

    Examples:
      | operation | status |
      | film box  | B605   |
      | film box  | 0107   |
      | film box  | 0116   |
      | image box | B604   |
      | image box | B609   |
      | image box | B60A   |
      | print     | B60A   |

  @req:RAD-23-SCU-01 @req:RAD-23-SCU-10
  Scenario: A printer without Presentation LUT
    Given the Print Server supports no Presentation LUT
    When the system under test prints the test object "VOI window"
    Then a film is printed on the Print Server
    And the exchange satisfies every "RAD-23" requirement

  @manual @req:RAD-23-SCU-11
  Scenario Outline: The user learns of <status> to the <operation>
    Given the Print Server answers the first <operation> with "<status>"
    When the system under test prints the test object "VOI window"
    Then the operator confirms "RAD-23-SCU-11": "Does the product tell its user about the answer of the printer?"

    Examples:
      | operation        | status |
      | film box         | B605   |
      | film box         | 0106   |
      | image box        | B604   |
      | image box        | C603   |
      | Presentation LUT | 0105   |
      | print            | C602   |
