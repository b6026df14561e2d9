@profile:SWF @profile:SWF.b @actor:order-filler @transaction:RAD-5 @transaction:RAD-6 @transaction:RAD-7
Feature: RAD-6 and RAD-7: the order filler follows performed steps
  The product under test is a DSS/Order Filler; modality and archive are simulated.

  Background:
    Given the system under test has scheduled these steps
      | step | patient | modality | start       | procedure | order |
      | S1   | doe     | CT       | today 09:00 | P1        | O1    |
      | S2   | doe     | CT       | today 09:10 | P2        | O2    |

  @quick @case:simple @mesa:211 @req:RAD-6-SCP-01
  Scenario: A scheduled step is performed
    When the Acquisition Modality performs "S1" with 2 images
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:group @mesa:222 @req:RAD-6-SCP-01
  Scenario: A group of two procedures is accepted
    When the Acquisition Modality performs "S1, S2" with 2 images
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:append @mesa:231 @req:RAD-6-SCP-01
  Scenario: More is done under a step that was started
    When the Acquisition Modality starts "S1"
    And the Acquisition Modality performs "S1" with 1 image
    Then the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:unscheduled @mesa:201 @req:RAD-6-SCP-08
  Scenario: An unscheduled step is accepted
    When the Acquisition Modality performs an unscheduled examination of "hong" with 2 images
    Then the requirement "RAD-6-SCP-08" is met
    And the exchange satisfies every "RAD-6" requirement
    And the exchange satisfies every "RAD-7" requirement

  @case:abandoned @mesa:241 @req:EX-09
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

  @option:pps-exception-management @case:wrong-entry @mesa:109 @req:RAD-5-SCP-25
  Scenario: A step that was picked by mistake is offered again
    When the Acquisition Modality abandons "S1" after 1 images for the reason "110514"
    Then the worklist of the patient offers "S1, S2" after the "wrong entry"
    And the requirement "RAD-5-SCP-25" is met

  @req:RAD-5-SCP-26
  Scenario: A completed step is not offered any more
    When the Acquisition Modality performs "S1" with 1 image
    Then the worklist of the patient offers "S2" after the "completion"
    And the requirement "RAD-5-SCP-26" is met

  @req:RAD-5-SCP-24
  Scenario: A cancelled step is not offered any more
    When the system under test cancels "S1"
    Then the worklist of the patient offers "S2" after the "cancellation"
    And the requirement "RAD-5-SCP-24" is met

  @transaction:RAD-20 @transaction:RAD-21 @req:RAD-20-SCP-01
  Scenario: The step of an Evidence Creator is accepted
    When the Evidence Creator reports its work on the study "doe"
    Then the requirement "RAD-20-SCP-01" is met

  @option:availability-of-pps-referenced-instances @mesa:134 @transaction:RAD-49 @req:RAD-49-SCP-01
  Scenario: A notice of availability is accepted
    When the Acquisition Modality performs "S1" with 2 images
    And the Image Manager announces the images of "S1"
    Then the requirement "RAD-49-SCP-01" is met
