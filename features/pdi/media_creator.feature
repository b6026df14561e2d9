@profile:PDI @actor:media-creator @transaction:RAD-47
Feature: RAD-47 Distribute Imaging Information on Media: the creator writes
  The product under test is a Portable Media Creator; every file that it writes is read and judged.

  @quick @req:PDI-ACT-01 @req:RAD-47-PMC-02 @req:RAD-47-PMC-13 @req:RAD-47-PMC-16 @req:RAD-47-PMC-20 @req:RAD-47-PMC-22 @req:RAD-47-PMC-24 @req:XC-34
  Scenario Outline: A CD with <content>
    When the system under test writes "<content>" to a "CD"
    Then the exchange satisfies every "RAD-47" requirement

    Examples:
      | content              |
      | one patient          |
      | two patients         |
      | names of all scripts |

  @req:RAD-47-PMC-17 @req:RAD-47-PMC-27
  Scenario: A CD with images, presentation state, key objects, report and document
    When the system under test writes "every kind of object" to a "CD"
    Then the exchange satisfies every "RAD-47" requirement
    And the requirement "RAD-47-PMC-27" is met

  @option:web-content @req:RAD-47-WEB-01 @req:RAD-47-WEB-02 @req:RAD-47-WEB-04 @req:RAD-47-WEB-05 @req:RAD-47-WEB-10
  Scenario: Web content beside the DICOM content
    When the system under test writes "two patients" to a "CD"
    Then the requirement "RAD-47-WEB-01" is met
    And the requirement "RAD-47-WEB-02" is met
    And the requirement "RAD-47-WEB-03" is met
    And the requirement "RAD-47-WEB-04" is met
    And the requirement "RAD-47-WEB-05" is met
    And the requirement "RAD-47-WEB-06" is met
    And the requirement "RAD-47-WEB-07" is met
    And the requirement "RAD-47-WEB-10" is met

  @option:dvd-media @req:RAD-47-PMC-25
  Scenario: A DVD
    When the system under test writes "one patient" to a "DVD"
    Then the exchange satisfies every "RAD-47" requirement

  @option:usb-media @req:RAD-47-PMC-26
  Scenario: A USB stick
    When the system under test writes "one patient" to a "USB"
    Then the exchange satisfies every "RAD-47" requirement

  @manual @req:RAD-47-PMC-33
  Scenario: The printed label
    When the system under test writes "one patient" to a "CD"
    Then the operator confirms "RAD-47-PMC-33": "Does the label show patient, date, institution and whether the medium is DICOM ONLY or DICOM PLUS WEB?"
