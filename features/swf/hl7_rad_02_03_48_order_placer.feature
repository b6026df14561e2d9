@profile:SWF @actor:order-placer
Feature: RAD-2, RAD-3 and RAD-48: the order placer orders, numbers and follows
  The product under test is an Order Placer; the ADT and the DSS/Order Filler are simulated.

  @quick @transaction:RAD-1 @transaction:RAD-2 @mesa:131 @req:RAD-1-DST-01 @req:RAD-2-SRC-04 @req:RAD-2-SRC-13
  Scenario: A registered patient's order reaches the filler
    Given the "ADT" has sent "A04" for "doe"
    When the system under test orders "CT-HEAD" for "doe" as "O1"
    Then the order "O1" reaches the "DSS/Order Filler" as "NW"
    And the exchange satisfies every "RAD-1" requirement
    And the exchange satisfies every "RAD-2" requirement

  @profile:SWF.b @quick @transaction:RAD-2 @mesa:132 @case:cancel
  Scenario: The placer cancels an order
    Given the "ADT" has sent "A04" for "roe"
    And the system under test has ordered "MR-BRAIN" for "roe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the system under test cancels "O1"
    Then the order "O1" reaches the "DSS/Order Filler" as "CA"
    And the exchange satisfies every "RAD-2" requirement

  @transaction:RAD-1
  Scenario Outline: A visit that began with <event> ends with <cancel>
    When the "ADT" sends "<event>" for "dole"
    And the "ADT" sends "<cancel>" for "dole"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-1" requirement

    Examples:
      | event | cancel |
      | A01   | A11    |
      | A05   | A38    |

  @quick @transaction:RAD-1 @transaction:RAD-3 @mesa:132 @mesa:105
  Scenario: An order of the department gets a placer number
    Given the "ADT" has sent "A04" for "doe"
    When the "DSS/Order Filler" orders "US-ABDOMEN" for "doe" as "O1"
    Then it is answered with "AA" as "RAD-3-DST-03" demands
    And the exchange satisfies every "RAD-3" requirement

  @transaction:RAD-1 @transaction:RAD-3 @mesa:132 @case:replace @req:RAD-3-DST-03
  Scenario: The department replaces an order
    Given the "ADT" has sent "A04" for "doe"
    And the "DSS/Order Filler" has ordered "US-ABDOMEN" for "doe" as "O1"
    When the "DSS/Order Filler" replaces "O1" by "CT-TRUNK"
    Then the exchange satisfies every "RAD-3" requirement

  @quick @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-3 @mesa:107 @req:RAD-3-DST-03
  Scenario Outline: The department reports an order as <what>
    Given the "ADT" has sent "A04" for "roe"
    And the system under test has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the "DSS/Order Filler" reports "O1" as "IP"
    And the "DSS/Order Filler" reports "O1" as "<status>"
    Then the exchange satisfies every "RAD-3" requirement

    Examples:
      | what         | status |
      | completed    | CM     |
      | discontinued | DC     |

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-3 @mesa:132 @case:cancel @req:RAD-3-DST-03
  Scenario: The department cancels the placer's order
    Given the "ADT" has sent "A04" for "roe"
    And the system under test has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the "DSS/Order Filler" cancels "O1"
    Then the exchange satisfies every "RAD-3" requirement

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-12 @mesa:103 @mesa:271 @case:update @req:RAD-12-DST-01
  Scenario: Later orders have the new name
    Given the "ADT" has sent "A04" for "doe"
    And the system under test has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the "ADT" renames "doe" to "SMITH^JANE"
    And the system under test orders "MR-BRAIN" for "doe" as "O2"
    Then the order "O2" reaches the "DSS/Order Filler" as "NW"
    And the exchange satisfies every "RAD-12" requirement
    And the exchange satisfies every "RAD-2" requirement

  @quick @transaction:RAD-1 @transaction:RAD-12 @mesa:133 @case:merge @req:RAD-12-SRC-05
  Scenario: Two records of one patient are merged, without a PV1
    Given the "ADT" has sent "A04" for "doe"
    And the "ADT" has sent "A04" for "roe"
    When the "ADT" merges "doe" into "roe"
    Then it is answered with "AA" as "RAD-12-SRC-05" demands
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-12 @req:RAD-12-DST-08
  Scenario: An update of a patient that nobody has registered
    When the "ADT" sends "A08" for "kim"
    Then the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @transaction:RAD-12
  Scenario Outline: <what> is told by <event>
    Given the "ADT" has sent "<first>" for "dole"
    When the "ADT" sends "<event>" for "dole"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-12" requirement

    Examples:
      | what                   | first | event |
      | a transfer             | A01   | A02   |
      | a discharge            | A01   | A03   |
      | becoming an inpatient  | A04   | A06   |
      | becoming an outpatient | A01   | A07   |

  @option:departmental-appointment-notification @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-48 @mesa:151
  @mesa:152 @mesa:153 @case:appointment @req:RAD-48-DST-01
  Scenario: An appointment is made, moved and cancelled
    Given the "ADT" has sent "A04" for "doe"
    And the system under test has ordered "MR-BRAIN" for "doe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the "DSS/Order Filler" announces "S12" of "O1"
    And the "DSS/Order Filler" announces "S13" of "O1"
    And the "DSS/Order Filler" announces "S15" of "O1"
    Then the exchange satisfies every "RAD-48" requirement

  @transaction:RAD-1 @transaction:RAD-2 @mesa:141 @mesa:142 @case:characters @req:HL7-GEN-10
  Scenario Outline: The order of a patient with a name in <script>
    Given the "ADT" has sent "A04" for "<patient>"
    When the system under test orders "CT-HEAD" for "<patient>" as "O1"
    Then the order "O1" reaches the "DSS/Order Filler" as "NW"
    And the exchange satisfies every "RAD-1" requirement
    And the exchange satisfies every "RAD-2" requirement

    Examples:
      | script           | patient  |
      | Latin 1          | mueller  |
      | Korean           | hong     |
      | Japanese         | yamada   |
      | Chinese, GB18030 | wang     |
      | Chinese, UTF-8   | wang-utf |

  @quick @transaction:RAD-1 @case:negative @req:HL7-GEN-12
  Scenario Outline: A message with <flaw> is rejected
    When the "ADT" sends a message with "<flaw>"
    Then it is answered with "AR" as "HL7-GEN-12" demands
    And the requirement "HL7-GEN-12" is met

    Examples:
      | flaw               |
      | an unknown trigger |
      | an unknown type    |

  @transaction:RAD-1 @case:negative @req:HL7-GEN-02
  Scenario Outline: A message with <flaw> is refused
    When the "ADT" sends a message with "<flaw>"
    Then it is answered with "AE, AR" as "HL7-GEN-02" demands

    Examples:
      | flaw               |
      | an unknown version |
      | no patient ID      |

  @transaction:RAD-1 @case:negative @req:HL7-GEN-11
  Scenario: An unknown segment does no harm
    When the "ADT" sends "A04" with an unknown segment for "roe"
    Then the exchange satisfies every "RAD-1" requirement

  @transaction:RAD-1 @case:negative @req:HL7-GEN-02
  Scenario Outline: After <what> the next message is taken
    When the "ADT" sends "<what>" over a connection of its own
    And the "ADT" sends "A04" for "roe"
    Then it is answered with "AA" as "HL7-GEN-02" demands

    Examples:
      | what                           |
      | bytes without a frame          |
      | half a message                 |
      | a message without an end block |
      | an empty frame                 |
      | a frame of noise               |
      | a frame inside a frame         |

  @transaction:RAD-1 @transaction:RAD-2 @case:negative @case:recovery @req:HL7-GEN-15
  Scenario: An order that was not acknowledged is sent again
    Given the "ADT" has sent "A04" for "doe"
    And the "DSS/Order Filler" answers the next message with "nothing"
    When the system under test orders "CT-HEAD" for "doe" as "O1"
    Then the system under test has had the time to send the message again
    And the requirement "HL7-GEN-15" is met

  @transaction:RAD-1 @transaction:RAD-2 @case:negative @case:recovery
  Scenario Outline: An order that was refused with <code> does not hold up the next one
    Given the "ADT" has sent "A04" for "doe"
    And the "DSS/Order Filler" answers the next message with "<code>"
    And the system under test has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "DSS/Order Filler" as "NW"
    When the system under test orders "MR-BRAIN" for "doe" as "O2"
    Then the order "O2" reaches the "DSS/Order Filler" as "NW"
    And the exchange satisfies every "RAD-2" requirement

    Examples:
      | code |
      | AE   |
      | AR   |
