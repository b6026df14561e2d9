@profile:SWF @actor:order-filler
Feature: RAD-1 to RAD-4, RAD-12, RAD-13 and RAD-48: the order filler schedules and tells
  The product under test is a DSS/Order Filler; ADT, Order Placer, Image Manager and Acquisition Modality are simulated.

  @quick @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @mesa:131 @req:RAD-2-DST-01
  @req:RAD-1-DST-03 @req:RAD-4-SRC-22
  Scenario: An order becomes a schedule and a worklist entry
    Given the "ADT" has sent "A04" for "doe"
    When the "Order Placer" orders "CT-HEAD" for "doe" as "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the worklist has steps of "doe" as "RAD-2-DST-01" demands
    And the exchange satisfies every "RAD-1" requirement
    And the exchange satisfies every "RAD-2" requirement
    And the exchange satisfies every "RAD-4" requirement
    And the exchange satisfies every "RAD-5" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-4 @req:RAD-4-SRC-21
  Scenario: An order of two procedures has two studies
    Given the "ADT" has sent "A04" for "roe"
    When the "Order Placer" orders "CT-TRUNK" for "roe" as "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the exchange satisfies every "RAD-4" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @req:RAD-4-SRC-22
  Scenario: A procedure of two steps is told in one message
    Given the "ADT" has sent "A04" for "roe"
    When the "Order Placer" orders "MR-BRAIN" for "roe" as "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the worklist has steps of "roe" as "RAD-2-DST-01" demands
    And the exchange satisfies every "RAD-4" requirement

  @profile:SWF.b @transaction:RAD-2 @req:RAD-2-DST-04
  Scenario: An order for a patient that nobody has registered
    When the "Order Placer" orders "CT-HEAD" for "kim" as "O1"
    Then the exchange satisfies every "RAD-2" requirement

  @transaction:RAD-1 @transaction:RAD-2 @req:RAD-1-DST-02
  Scenario: No order is taken for a visit that was cancelled
    Given the "ADT" has sent "A04" for "doe"
    And the "ADT" has sent "A11" for "doe"
    When the "Order Placer" orders "CT-HEAD" for "doe" as "O1"
    Then the requirement "RAD-1-DST-02" is met

  @profile:SWF.b @quick @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-13 @mesa:132
  @case:cancel @req:RAD-2-DST-02 @req:RAD-13-SRC-01 @req:RAD-13-SRC-07
  Scenario: The placer cancels an order
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the "Order Placer" cancels "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "CA"
    And the worklist has no step of "doe" as "RAD-13-SRC-07" demands
    And the exchange satisfies every "RAD-2" requirement
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @quick @transaction:RAD-3 @transaction:RAD-4 @mesa:105 @mesa:132 @req:RAD-3-SRC-01 @req:RAD-3-SRC-02
  @req:RAD-3-SRC-03
  Scenario: An order of the department
    Given the "ADT" has sent "A04" for "roe"
    When the system under test orders "US-ABDOMEN" for "roe" as "O1"
    Then the order "O1" reaches the "Order Placer" as "SN"
    And the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the exchange satisfies every "RAD-3" requirement
    And the exchange satisfies every "RAD-4" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-13 @mesa:132 @case:replace
  @req:RAD-3-SRC-09 @req:RAD-3-SRC-10 @req:EX-02
  Scenario: The department replaces an order
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test replaces "O1" by "MR-BRAIN"
    Then the order "O1" reaches the "Order Placer" as "OC"
    And the order "O1" reaches the "Image Manager/Archive" as "CA"
    And the order "O1" reaches the "Order Placer" as "SN"
    And the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the requirement "EX-02" is met
    And the exchange satisfies every "RAD-3" requirement
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-13 @mesa:132 @case:cancel
  @req:RAD-3-SRC-09
  Scenario: The department cancels an order
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test cancels "O1"
    Then the order "O1" reaches the "Order Placer" as "OC"
    And the order "O1" reaches the "Image Manager/Archive" as "CA"
    And the exchange satisfies every "RAD-3" requirement
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-13 @req:RAD-13-SRC-02 @req:RAD-13-SRC-05
  Scenario: The department moves an exam
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test moves "O1" to "16:30"
    Then the order "O1" reaches the "Image Manager/Archive" as "XO"
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @quick @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @mesa:107 @req:RAD-3-SRC-05
  @req:RAD-3-SRC-06
  Scenario: The department reports an order as in progress and as completed
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test reports "O1" as "IP"
    Then the order "O1" reaches the "Order Placer" as "IP"
    When the system under test reports "O1" as "CM"
    Then the order "O1" reaches the "Order Placer" as "CM"
    And the exchange satisfies every "RAD-3" requirement

  @profile:SWF.b @transaction:RAD-3 @transaction:RAD-4 @mesa:107 @req:RAD-3-SRC-05
  Scenario: The department reports on its own order under the placer's number
    Given the "ADT" has sent "A04" for "roe"
    And the system under test has ordered "US-ABDOMEN" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test reports "O1" as "IP"
    Then the order "O1" reaches the "Order Placer" as "IP"
    And the exchange satisfies every "RAD-3" requirement

  @profile:SWF.b @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-13 @mesa:132 @case:cancel @req:RAD-3-SRC-09
  Scenario: The department cancels its own order under the placer's number
    Given the "ADT" has sent "A04" for "roe"
    And the system under test has ordered "US-ABDOMEN" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test cancels "O1"
    Then the order "O1" reaches the "Order Placer" as "OC"
    And the exchange satisfies every "RAD-3" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-13 @mesa:107
  @req:RAD-13-SRC-04
  Scenario: The department discontinues an order
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test reports "O1" as "IP"
    Then the order "O1" reaches the "Order Placer" as "IP"
    When the system under test reports "O1" as "DC"
    Then the order "O1" reaches the "Order Placer" as "DC"
    And the order "O1" reaches the "Image Manager/Archive" as "DC"
    And the exchange satisfies every "RAD-3" requirement
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @quick @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5
  @transaction:RAD-6 @transaction:RAD-7 @mesa:131 @mesa:107 @case:simple @req:RAD-3-SRC-07 @req:RAD-3-SRC-08
  Scenario: The administrative flow: order, schedule, worklist, exam, status
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality starts "O1"
    Then the order "O1" reaches the "Order Placer" as "IP"
    When the Acquisition Modality ends "O1" with 2 images
    Then the order "O1" reaches the "Order Placer" as "CM"
    And the exchange satisfies every "RAD-3" requirement
    And the exchange satisfies every "RAD-4" requirement
    And the exchange satisfies every "RAD-5" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6
  @transaction:RAD-7 @mesa:107 @case:simple @req:RAD-6-SCP-07
  Scenario: An exam that is over at once was in progress first
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality performs "O1" with 1 image
    Then the order "O1" reaches the "Order Placer" as "IP"
    And the requirement "RAD-6-SCP-07" is met
    And the requirement "SWF-ACT-03" is met

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6
  @transaction:RAD-7 @transaction:RAD-13 @case:cancel @req:EX-03
  Scenario: An order is cancelled while its exam is under way
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality starts "O1"
    Then the order "O1" reaches the "Order Placer" as "IP"
    When the "Order Placer" cancels "O1"
    And the Acquisition Modality ends "O1" with 1 images
    Then the system under test has had the time to tell the Order Placer
    And the requirement "EX-03" is met
    And the exchange satisfies every "RAD-7" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6
  @mesa:222 @case:group @req:RAD-6-SCP-09
  Scenario: Two orders are begun as a group
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O2"
    And the order "O2" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality starts "O1, O2"
    Then the order "O1" reaches the "Order Placer" as "IP"
    And the order "O2" reaches the "Order Placer" as "IP"
    And the requirement "RAD-6-SCP-09" is met
    And the exchange satisfies every "RAD-6" requirement

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6
  @transaction:RAD-7 @mesa:241 @case:abandoned @req:RAD-7-SCP-05
  Scenario: An exam that was broken off does not complete its order
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality abandons "O1" after 1 images for the reason "110501"
    Then the system under test has had the time to tell the Order Placer
    And the requirement "RAD-7-SCP-05" is met
    And the exchange satisfies every "RAD-7" requirement

  @profile:SWF.b @option:pps-exception-management @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4
  @transaction:RAD-5 @transaction:RAD-6 @transaction:RAD-7 @mesa:242 @case:wrong-entry @req:RAD-7-SCP-07
  Scenario: An order that was picked by mistake is not completed
    Given the "ADT" has sent "A04" for "roe"
    And the "Order Placer" has ordered "CT-HEAD" for "roe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality abandons "O1" after 1 images for the reason "110514"
    Then the system under test has had the time to tell the Order Placer
    And the requirement "RAD-7-SCP-07" is met
    And the exchange satisfies every "RAD-7" requirement

  @quick @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-12 @mesa:103
  @mesa:271 @case:update @req:RAD-12-DST-02 @req:RAD-12-SRC-10 @req:RAD-12-SRC-11
  Scenario: An unidentified patient gets a name
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the "ADT" renames "doe" to "SMITH^JANE"
    Then an "ADT^A08" reaches the "Image Manager/Archive"
    And the worklist has steps of "doe" as "RAD-12-DST-02" demands
    And the exchange satisfies every "RAD-12" requirement

  @quick @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-12 @mesa:133
  @case:merge @req:RAD-12-DST-03 @req:RAD-12-SRC-10 @req:RAD-12-SRC-05
  Scenario: A temporary record is merged into the patient's own
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    And the "ADT" has sent "A04" for "roe"
    When the "ADT" merges "doe" into "roe"
    Then an "ADT^A40" reaches the "Image Manager/Archive"
    And the worklist has no step of "doe" as "RAD-12-DST-03" demands
    And the worklist has steps of "roe" as "RAD-12-DST-03" demands
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-12 @req:RAD-12-DST-08
  Scenario: An update of a patient that nobody has registered
    When the "ADT" sends "A08" for "kim"
    Then the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-12
  Scenario Outline: <what> is told by <event>
    Given the "ADT" has sent "<first>" for "dole"
    And the "Order Placer" has ordered "CT-HEAD" for "dole" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the "ADT" sends "<event>" for "dole"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-12" requirement

    Examples:
      | what                   | first | event |
      | a transfer             | A01   | A02   |
      | a discharge            | A01   | A03   |
      | becoming an inpatient  | A04   | A06   |
      | becoming an outpatient | A01   | A07   |

  @profile:SWF.b @option:departmental-appointment-notification @transaction:RAD-2 @transaction:RAD-4
  @transaction:RAD-48 @mesa:151 @mesa:152 @mesa:153 @case:appointment @req:RAD-48-SRC-01 @req:RAD-48-SRC-03
  @req:RAD-48-SRC-04 @req:EX-28
  Scenario: An appointment is made, moved and cancelled
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test announces "S12" of "O1"
    Then an "SIU^S12" reaches the "Order Placer"
    When the system under test announces "S13" of "O1"
    Then an "SIU^S13" reaches the "Order Placer"
    When the system under test announces "S15" of "O1"
    Then an "SIU^S15" reaches the "Order Placer"
    And the requirement "EX-28" is met
    And the exchange satisfies every "RAD-48" requirement

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @mesa:141 @mesa:142 @case:characters
  @req:HL7-GEN-10 @req:RAD-2-DST-01
  Scenario Outline: A name in <script> from the order to the worklist
    Given the "ADT" has sent "A04" for "<patient>"
    When the "Order Placer" orders "CT-HEAD" for "<patient>" as "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the worklist has steps of "<patient>" as "RAD-2-DST-01" demands
    And the exchange satisfies every "RAD-1" requirement
    And the exchange satisfies every "RAD-4" requirement
    And the exchange satisfies every "RAD-5" requirement

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

  @profile:SWF.b @transaction:RAD-2 @case:negative @req:HL7-GEN-02
  Scenario Outline: An order with <flaw> is refused
    When the "Order Placer" sends an order with "<flaw>"
    Then it is answered with "AE, AR" as "HL7-GEN-02" demands

    Examples:
      | flaw               |
      | no order control   |
      | no patient ID      |
      | an unknown version |

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-4 @case:negative @case:recovery @req:HL7-GEN-15
  Scenario: A schedule that was not acknowledged is sent again
    Given the "ADT" has sent "A04" for "doe"
    And the "Image Manager/Archive" answers the next message with "nothing"
    When the "Order Placer" orders "CT-HEAD" for "doe" as "O1"
    Then the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the system under test has had the time to send the message again
    And the requirement "HL7-GEN-15" is met

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-4 @case:negative @case:recovery
  Scenario Outline: A schedule that was refused with <code> does not hold up the next one
    Given the "ADT" has sent "A04" for "doe"
    And the "Image Manager/Archive" answers the next message with "<code>"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the "Order Placer" orders "MR-BRAIN" for "doe" as "O2"
    Then the order "O2" reaches the "Image Manager/Archive" as "NW"
    And the exchange satisfies every "RAD-4" requirement

    Examples:
      | code |
      | AE   |
      | AR   |

  @profile:SWF.b @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-13 @req:RAD-13-SRC-03
  Scenario: The department changes an order after the exam
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the system under test reports "O1" as "IP"
    And the system under test reports "O1" as "CM"
    Then the order "O1" reaches the "Order Placer" as "CM"
    When the system under test moves "O1" to "16:30"
    Then the order "O1" reaches the "Image Manager/Archive" as "XO"
    And the exchange satisfies every "RAD-13" requirement

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6
  @transaction:RAD-7 @transaction:RAD-12 @mesa:271 @case:update @req:EX-10
  Scenario: A patient gets another name during the exam
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "MR-BRAIN" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality starts "O1"
    And the "ADT" renames "doe" to "SMITH^JANE"
    And the Acquisition Modality ends "O1" with 2 images
    Then the worklist has steps of "doe" as "EX-10" demands
    And the requirement "EX-10" is met
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @transaction:RAD-2 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-12 @mesa:103
  @case:update @req:EX-12
  Scenario: Unidentified patient, case 1: ordered by the placer, then identified
    Given the "ADT" has sent "A04" for "doe"
    And the "Order Placer" has ordered "CT-HEAD" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the "ADT" renames "doe" to "SMITH^JANE"
    Then the worklist has steps of "doe" as "EX-12" demands
    And the requirement "EX-12" is met
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-12 @mesa:133
  @case:merge @req:EX-13
  Scenario: Unidentified patient, case 2: ordered by the department, then merged
    Given the "ADT" has sent "A04" for "doe"
    And the system under test has ordered "US-ABDOMEN" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    And the "ADT" has sent "A04" for "roe"
    When the "ADT" merges "doe" into "roe"
    Then an "ADT^A40" reaches the "Image Manager/Archive"
    And the worklist has no step of "doe" as "EX-13" demands
    And the worklist has steps of "roe" as "EX-13" demands
    And the requirement "EX-13" is met
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-1 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6 @transaction:RAD-7
  @transaction:RAD-12 @mesa:105 @case:unscheduled @req:EX-14 @req:RAD-13-SRC-06
  Scenario: Unidentified patient, case 3: examined before anybody has ordered
    Given the "ADT" has sent "A04" for "doe"
    When the Acquisition Modality performs an unscheduled examination of "doe" with 2 images
    And the system under test orders "CT-HEAD" for "doe" as "O1"
    Then the order "O1" reaches the "Order Placer" as "SN"
    And the order "O1" reaches the "Image Manager/Archive" as "NW"
    And the requirement "EX-14" is met
    And the requirement "RAD-13-SRC-06" is met
    And the exchange satisfies every "RAD-4" requirement

  @transaction:RAD-1 @transaction:RAD-3 @transaction:RAD-4 @transaction:RAD-5 @transaction:RAD-6 @transaction:RAD-7
  @transaction:RAD-12 @mesa:104 @case:merge @req:EX-15
  Scenario: Unidentified patient, case 4: registered by the department alone, then matched
    Given the system under test has ordered "MR-BRAIN" for "doe" as "O1"
    And the order "O1" has reached the "Image Manager/Archive" as "NW"
    When the Acquisition Modality starts "O1"
    And the Acquisition Modality ends "O1" with 2 images
    And the "ADT" sends "A04" for "roe"
    And the "ADT" merges "doe" into "roe"
    Then an "ADT^A40" reaches the "Image Manager/Archive"
    And the worklist has no step of "doe" as "EX-15" demands
    And the worklist has steps of "roe" as "EX-15" demands
    And the requirement "EX-15" is met
