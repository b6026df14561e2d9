@profile:SWF @profile:SWF.b @actor:image-manager @transaction:RAD-6 @transaction:RAD-7
Feature: RAD-6 and RAD-7: the archive learns of performed steps
  The product under test is an Image Manager/Archive; modality, display and Order Filler are simulated.

  Background:
    Given the Order Filler has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P2        | O2    |

  @quick @case:simple @mesa:211 @transaction:RAD-8 @req:RAD-6-SCP-01
  Scenario: A step is performed and its images are stored
    When the Acquisition Modality performs "S1" with 2 images
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:group @mesa:222 @transaction:RAD-8 @req:RAD-6-SCP-01
  Scenario: A group of two procedures is accepted
    When the Acquisition Modality performs "S1, S2" with 2 images
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:append @mesa:231 @transaction:RAD-8 @req:RAD-6-SCP-01
  Scenario: An appended step is a step of its own
    When the Acquisition Modality performs "S1" with 2 images
    And the Acquisition Modality performs "S1" with 1 image
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:unscheduled @mesa:201 @transaction:RAD-8 @req:RAD-6-SCP-01 @req:RAD-4-DST-02
  Scenario: An unscheduled step is accepted
    When the Acquisition Modality performs an unscheduled examination of "hong" with 2 images
    Then the requirement "RAD-4-DST-02" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement
    And the exchange satisfies every "RAD-8" requirement

  @case:abandoned @mesa:241 @transaction:RAD-8 @req:EX-09
  Scenario Outline: A step discontinued for <why> is a discontinued step
    When the Acquisition Modality abandons "S1" after <images> images for the reason "<reason>"
    Then the requirement "EX-09" is met
    And the exchange satisfies every "RAD-7" requirement

    Examples:
      | why                 | images | reason |
      | no reason           | 0      |        |
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

  @option:pps-exception-management @case:wrong-entry @mesa:109 @transaction:RAD-8 @transaction:RAD-14 @req:RAD-7-SCP-06 @req:EX-07
  Scenario: Images taken under a wrong worklist entry are not shown
    When the Acquisition Modality abandons "S1" after 2 images for the reason "110514"
    And the Acquisition Modality performs "S2" with 2 images
    Then the Image Display finds 0 images of "S1" after the wrong entry
    And the Image Display finds 2 images of "S2" after the wrong entry
    And the requirement "RAD-7-SCP-06" is met
    And the requirement "EX-07" is met

  @transaction:RAD-18 @transaction:RAD-20 @transaction:RAD-21 @transaction:RAD-14 @req:RAD-20-SCP-01 @req:RAD-18-SCP-01
  Scenario: The step and the objects of an Evidence Creator are taken
    When the Acquisition Modality stores the study "ct of doe"
    And the Evidence Creator reports its work on the study "ct of doe"
    Then the objects of the work on "ct of doe" are found in its study
    And the requirement "RAD-20-SCP-01" is met
    And the requirement "RAD-18-SCP-01" is met
