@profile:SWF @actor:adt
Feature: RAD-1 and RAD-12 Patient Registration and Update: the ADT tells
  The product under test is an ADT; the Order Placer and the DSS/Order Filler are simulated.

  @quick @transaction:RAD-1 @mesa:131 @req:RAD-1-SRC-01 @req:RAD-1-SRC-04 @req:HL7-GEN-01 @req:HL7-GEN-05
  Scenario Outline: A patient is registered by <event>
    When the system under test sends "<event>" for "doe"
    Then an "ADT^<event>" reaches the "Order Placer"
    And an "ADT^<event>" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-1" requirement

    Examples:
      | event |
      | A01   |
      | A04   |
      | A05   |

  @transaction:RAD-1 @req:RAD-1-SRC-13
  Scenario Outline: <cancel> cancels <event>
    Given the system under test has sent "<event>" for "roe"
    And the system under test has sent "<cancel>" for "roe"
    Then an "ADT^<cancel>" reaches the "Order Placer"
    And an "ADT^<cancel>" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-1" requirement

    Examples:
      | event | cancel |
      | A01   | A11    |
      | A04   | A11    |
      | A05   | A38    |

  @transaction:RAD-1 @transaction:RAD-12 @req:RAD-12-SRC-01
  Scenario Outline: <what> is told by <event>
    Given the system under test has sent "<first>" for "dole"
    When the system under test sends "<event>" for "dole"
    Then an "ADT^<event>" reaches the "Order Placer"
    And an "ADT^<event>" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-12" requirement

    Examples:
      | what                  | first | event |
      | a transfer            | A01   | A02   |
      | a discharge           | A01   | A03   |
      | becoming an inpatient | A04   | A06   |
      | becoming an outpatient | A01  | A07   |
      | new demographics      | A04   | A08   |

  @transaction:RAD-1 @transaction:RAD-12
  Scenario Outline: <cancel> takes back <event>
    Given the system under test has sent "A01" for "kim"
    And the system under test has sent "<event>" for "kim"
    When the system under test sends "<cancel>" for "kim"
    Then an "ADT^<cancel>" reaches the "Order Placer"
    And an "ADT^<cancel>" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-12" requirement

    Examples:
      | event | cancel |
      | A02   | A12    |
      | A03   | A13    |

  @quick @transaction:RAD-1 @transaction:RAD-12 @mesa:103 @mesa:271 @case:update @req:RAD-12-SRC-09 @req:HL7-GEN-13
  Scenario: An unidentified patient gets a name, and a value is deleted
    Given the system under test has sent "A04" for "doe"
    When the system under test renames "doe" to "SMITH^JANE" and deletes "PID-10"
    Then an "ADT^A08" reaches the "Order Placer"
    And an "ADT^A08" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-12" requirement

  @quick @transaction:RAD-1 @transaction:RAD-12 @mesa:133 @case:merge @req:RAD-12-SRC-02 @req:RAD-12-SRC-03
  Scenario: Two records of one patient are merged
    Given the system under test has sent "A04" for "doe"
    And the system under test has sent "A04" for "roe"
    When the system under test merges "doe" into "roe"
    Then an "ADT^A40" reaches the "Order Placer"
    And an "ADT^A40" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @mesa:141 @mesa:142 @case:characters @req:HL7-GEN-10
  Scenario Outline: A name in <script>
    When the system under test sends "A04" for "<patient>"
    Then an "ADT^A04" reaches the "Order Placer"
    And an "ADT^A04" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-1" requirement

    Examples:
      | script           | patient  |
      | Latin 1          | mueller  |
      | Korean           | hong     |
      | Japanese         | yamada   |
      | Chinese, GB18030 | wang     |
      | Chinese, UTF-8   | wang-utf |

  @transaction:RAD-1 @case:negative @case:recovery @req:HL7-GEN-15
  Scenario: A registration that was not acknowledged is sent again
    Given the "DSS/Order Filler" answers the next message with "nothing"
    When the system under test sends "A04" for "doe"
    Then the system under test has had the time to send the message again
    And the requirement "HL7-GEN-15" is met

  @transaction:RAD-1 @transaction:RAD-12 @case:negative @case:recovery
  Scenario Outline: A registration that one receiver refused with <code> does not hold up the others
    Given the "Order Placer" answers the next message with "<code>"
    When the system under test sends "A04" for "doe"
    Then an "ADT^A04" reaches the "Order Placer"
    And an "ADT^A04" reaches the "DSS/Order Filler"
    When the system under test sends "A08" for "doe"
    Then an "ADT^A08" reaches the "Order Placer"
    And an "ADT^A08" reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-1" requirement

    Examples:
      | code |
      | AE   |
      | AR   |
