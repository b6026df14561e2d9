@profile:SWF @profile:SWF.b @actor:pps-manager @transaction:RAD-6 @transaction:RAD-7
Feature: RAD-6 and RAD-7: the PPS Manager receives and forwards performed steps
  The product under test is a PPS Manager; the modality, the Image Manager and the Order Filler are simulated.

  Background:
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P2        | O2    |

  @quick @case:simple @mesa:211 @req:RAD-6-SCP-01 @req:RAD-6-SCP-04 @req:RAD-7-SCP-03 @req:XC-23
  Scenario: A performed step is forwarded to both destinations
    When the Acquisition Modality performs "S1" with 2 images
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the requirement "XC-23" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:group @mesa:222 @req:RAD-6-SCP-04
  Scenario: A group of two procedures is forwarded
    When the Acquisition Modality performs "S1, S2" with 2 images
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:append @mesa:231 @req:RAD-6-SCP-04
  Scenario: An appended step is a step of its own
    When the Acquisition Modality performs "S1" with 2 images
    And the Acquisition Modality performs "S1" with 1 image
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:unscheduled @mesa:201 @req:RAD-6-SCP-01 @req:RAD-6-SCP-04
  Scenario: An unscheduled step is forwarded
    When the Acquisition Modality performs an unscheduled examination of "hong" with 2 images
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:abandoned @mesa:241 @req:RAD-7-SCP-03
  Scenario Outline: A step discontinued for <why> is forwarded
    When the Acquisition Modality abandons "S1" after <images> images for the reason "<reason>"
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the exchange satisfies every "RAD-7" requirement

    Examples:
      | why                 | images | reason |
      | no reason           | 0      |        |
      | equipment failure   | 2      | 110501 |
      | a wrong entry       | 1      | 110514 |
      | a reason of its own | 1      | LOCAL  |

  @req:RAD-6-SCP-02
  Scenario Outline: A step that begins as <status> is refused
    When the Acquisition Modality wrongly reports "S1" as "begun as <status>"
    Then the requirement "RAD-6-SCP-02" is met

    Examples:
      | status       |
      | COMPLETED    |
      | DISCONTINUED |

  @quick @req:RAD-6-SCP-03 @req:RAD-7-SCP-01
  Scenario: Neither a second beginning nor a change after the end is accepted
    When the Acquisition Modality starts "S1"
    And the Acquisition Modality wrongly reports "S1" as "begun twice"
    And the Acquisition Modality ends "S1" with 1 images
    And the Acquisition Modality wrongly reports "S1" as "changed after its end"
    Then the requirement "RAD-6-SCP-03" is met
    And the requirement "RAD-7-SCP-01" is met

  @req:RAD-7-SCP-02
  Scenario: A change of a step that nobody created is refused
    When the Acquisition Modality wrongly reports "S1" as "ended and never begun"
    Then the requirement "RAD-7-SCP-02" is met

  @req:RAD-6-SCP-05 @req:RAD-6-SCP-06 @req:EX-24
  Scenario Outline: The <actor> is down for a while
    Given the "<actor>" is down
    When the Acquisition Modality starts "S1"
    And the Acquisition Modality ends "S1" with 2 images
    And the Acquisition Modality performs "S2" with 1 image
    And the Acquisition Modality performs an unscheduled examination of "roe" with 1 images
    And the "<actor>" is up again
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the requirement "EX-24" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

    Examples:
      | actor                 |
      | Image Manager/Archive |
      | DSS/Order Filler      |

  @transaction:RAD-20 @transaction:RAD-21 @req:RAD-20-SCP-01
  Scenario: The step of an Evidence Creator is forwarded like any other
    When the Evidence Creator reports its work on the study "doe"
    Then every accepted message reaches the "Image Manager/Archive"
    And every accepted message reaches the "DSS/Order Filler"
    And the requirement "RAD-20-SCP-01" is met
