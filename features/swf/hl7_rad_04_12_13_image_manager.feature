@profile:SWF @actor:image-manager
Feature: RAD-4, RAD-12 and RAD-13: the archive is told what to expect
  The product under test is an Image Manager/Archive; the DSS/Order Filler, modality and display are simulated.

  @profile:SWF.b @quick @transaction:RAD-4 @transaction:RAD-8 @mesa:131 @req:RAD-4-DST-01
  Scenario: A schedule is taken and its images are stored
    When the "DSS/Order Filler" orders "CT-HEAD" for "doe" as "O1"
    Then it is answered with "AA" as "RAD-4-DST-01" demands
    When the Acquisition Modality stores images of the order "O1"
    Then the requirement "RAD-8-SCP-01" is met
    And the exchange satisfies every "RAD-4" requirement

  @profile:SWF.b @transaction:RAD-4 @req:RAD-4-DST-01
  Scenario Outline: The schedule of <what>
    When the "DSS/Order Filler" orders "<service>" for "roe" as "O1"
    Then it is answered with "AA" as "RAD-4-DST-01" demands
    And the exchange satisfies every "RAD-4" requirement

    Examples:
      | what                          | service  |
      | two procedures                | CT-TRUNK |
      | a procedure of two steps      | MR-BRAIN |

  @profile:SWF.b @transaction:RAD-4 @mesa:141 @mesa:142 @case:characters @req:RAD-4-DST-01
  Scenario Outline: The schedule of a patient with a name in <script>
    When the "DSS/Order Filler" orders "CT-HEAD" for "<patient>" as "O1"
    Then it is answered with "AA" as "RAD-4-DST-01" demands
    And the exchange satisfies every "RAD-4" requirement

    Examples:
      | script           | patient  |
      | Latin 1          | mueller  |
      | Korean           | hong     |
      | Japanese         | yamada   |
      | Chinese, GB18030 | wang     |
      | Chinese, UTF-8   | wang-utf |

  @profile:SWF.b @quick @transaction:RAD-4 @transaction:RAD-13 @mesa:132 @case:cancel @req:HL7-GEN-02
  Scenario: A schedule is withdrawn
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    When the "DSS/Order Filler" cancels "O1"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @transaction:RAD-4 @transaction:RAD-13 @mesa:132 @case:replace @req:HL7-GEN-02
  Scenario: A schedule is replaced by another
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    When the "DSS/Order Filler" replaces "O1" by "MR-BRAIN"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-4" requirement
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-13 @transaction:RAD-14 @req:RAD-13-DST-01
  Scenario: A schedule is moved to another time
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    When the "DSS/Order Filler" moves "O1" to "16:30"
    And the Acquisition Modality stores images of the order "O1"
    Then the archive has a study of "doe" as "RAD-14-SCP-01" demands
    And the exchange satisfies every "RAD-13" requirement

  @profile:SWF.b @transaction:RAD-4 @transaction:RAD-13 @mesa:107 @req:HL7-GEN-02
  Scenario: A procedure is discontinued
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "roe" as "O1"
    When the "DSS/Order Filler" reports "O1" as "DC"
    Then it is answered with "AA" as "HL7-GEN-02" demands
    And the exchange satisfies every "RAD-13" requirement

  @quick @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @mesa:103 @mesa:271
  @case:update @req:RAD-12-DST-04
  Scenario: A patient gets another name after the exam
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    And the Acquisition Modality has stored images of the order "O1"
    When the "DSS/Order Filler" renames "doe" to "SMITH^JANE"
    Then the archive has a study of "doe" as "RAD-12-DST-04" demands
    And the requirement "RAD-12-DST-04" is met
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @mesa:271 @case:update
  @req:RAD-12-DST-07
  Scenario: A patient gets another name before the images arrive
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    When the "DSS/Order Filler" renames "doe" to "SMITH^JANE"
    And the Acquisition Modality stores images of the order "O1"
    Then the archive has a study of "doe" as "RAD-12-DST-07" demands
    And the requirement "EX-12" is met
    And the exchange satisfies every "RAD-12" requirement

  @quick @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @mesa:133 @case:merge
  @req:RAD-12-DST-05
  Scenario: A temporary record is merged into the patient's own after the exam
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    And the Acquisition Modality has stored images of the order "O1"
    When the "DSS/Order Filler" merges "doe" into "roe"
    Then the archive has no study of "doe" as "RAD-12-DST-05" demands
    And the archive has a study of "roe" as "RAD-12-DST-05" demands
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @mesa:133 @case:merge
  @req:RAD-12-DST-07
  Scenario: A temporary record is merged before the images arrive
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    When the "DSS/Order Filler" merges "doe" into "roe"
    And the Acquisition Modality stores images of the order "O1"
    Then the archive has no study of "doe" as "RAD-12-DST-07" demands
    And the archive has a study of "roe" as "RAD-12-DST-07" demands
    And the requirement "RAD-12-DST-07" is met
    And the exchange satisfies every "RAD-12" requirement

  @transaction:RAD-12 @req:RAD-12-DST-08
  Scenario: An update of a patient that nobody knows
    When the "DSS/Order Filler" sends "A08" for "kim"
    Then the exchange satisfies every "RAD-12" requirement

  @quick @transaction:RAD-12 @case:negative @req:HL7-GEN-12
  Scenario Outline: A message with <flaw> is rejected
    When the "DSS/Order Filler" sends a message with "<flaw>"
    Then it is answered with "AR" as "HL7-GEN-12" demands
    And the requirement "HL7-GEN-12" is met

    Examples:
      | flaw               |
      | an unknown trigger |
      | an unknown type    |

  @transaction:RAD-12 @case:negative @req:HL7-GEN-02
  Scenario Outline: A message with <flaw> is refused
    When the "DSS/Order Filler" sends a message with "<flaw>"
    Then it is answered with "AE, AR" as "HL7-GEN-02" demands

    Examples:
      | flaw               |
      | an unknown version |
      | no patient ID      |

  @transaction:RAD-12 @case:negative @req:HL7-GEN-02
  Scenario Outline: After <what> the next message is taken
    When the "DSS/Order Filler" sends "<what>" over a connection of its own
    And the "DSS/Order Filler" sends "A08" for "roe"
    Then it is answered with "AA" as "HL7-GEN-02" demands

    Examples:
      | what                           |
      | bytes without a frame          |
      | half a message                 |
      | a message without an end block |
      | an empty frame                 |
      | a frame of noise               |
      | a frame inside a frame         |

  @transaction:RAD-12 @case:negative @req:HL7-GEN-11
  Scenario: An unknown segment does no harm
    When the "DSS/Order Filler" sends "A08" with an unknown segment for "roe"
    Then the requirement "HL7-GEN-11" is met

  @profile:SWF.b @transaction:RAD-4 @case:negative @req:HL7-GEN-02
  Scenario Outline: A schedule with <flaw> is refused
    When the "DSS/Order Filler" sends an order with "<flaw>"
    Then it is answered with "AE, AR" as "HL7-GEN-02" demands

    Examples:
      | flaw               |
      | no order control   |
      | no patient ID      |
      | an unknown version |

  @quick @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @transaction:RAD-16 @mesa:103
  @mesa:271 @case:update @req:RAD-12-DST-06 @req:XC-24
  Scenario: Images come back with the new name after an update
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    And the Acquisition Modality has stored images of the order "O1"
    When the "DSS/Order Filler" renames "doe" to "SMITH^JANE"
    And the Image Display retrieves "STUDY" of "O1"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-12-DST-06" is met
    And the requirement "XC-24" is met

  @transaction:RAD-4 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14 @transaction:RAD-16 @mesa:133
  @case:merge @req:RAD-12-DST-06
  Scenario: Images come back with the surviving patient after a merge
    Given the "DSS/Order Filler" has ordered "CT-HEAD" for "doe" as "O1"
    And the Acquisition Modality has stored images of the order "O1"
    When the "DSS/Order Filler" merges "doe" into "roe"
    And the Image Display retrieves "STUDY" of "O1"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-12-DST-06" is met

  @transaction:RAD-4 @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14
  @mesa:105 @case:unscheduled @req:EX-14
  Scenario: Unidentified patient, case 3: the schedule follows the images
    When the Acquisition Modality performs an unscheduled examination of "doe" with 2 images
    And the "DSS/Order Filler" orders "CT-HEAD" for "doe" as "O1"
    Then it is answered with "AA" as "RAD-4-DST-01" demands
    And the archive has a study of "doe" as "RAD-14-SCP-01" demands
    And the requirement "EX-14" is met

  @transaction:RAD-4 @transaction:RAD-6 @transaction:RAD-7 @transaction:RAD-8 @transaction:RAD-12 @transaction:RAD-14
  @mesa:101 @case:merge @req:EX-16
  Scenario: Unidentified patient, case 5: examined under a temporary identity, then merged
    When the Acquisition Modality performs an unscheduled examination of "doe" with 2 images
    And the "DSS/Order Filler" merges "doe" into "roe"
    Then the archive has no study of "doe" as "RAD-12-DST-05" demands
    And the archive has a study of "roe" as "RAD-12-DST-05" demands
    And the requirement "EX-16" is met
    And the exchange satisfies every "RAD-12" requirement
