@profile:PDI @actor:media-creator @transaction:RAD-47
Feature: RAD-47 Distribute Imaging Information on Media: the creator writes
  The product under test is a Portable Media Creator; every file that it writes is read and judged.

  @quick @mesa:1901 @mesa:1903 @mesa:1904 @mesa:1905 @req:PDI-ACT-01 @req:RAD-47-PMC-02 @req:RAD-47-PMC-13 @req:RAD-47-PMC-16 @req:RAD-47-PMC-20 @req:RAD-47-PMC-22 @req:RAD-47-PMC-24 @req:XC-34
  Scenario Outline: A CD with <content>
    When the system under test writes "<content>" to a "CD"
    Then the exchange satisfies every "RAD-47" requirement

    Examples:
      | content              |
      | one patient          |
      | two patients         |
      | names of all scripts |
      | compressed images    |

  @mesa:1912 @req:RAD-47-PMC-17 @req:RAD-47-PMC-27
  Scenario: A CD with images, presentation state, key objects, report and document
    When the system under test writes "every kind of object" to a "CD"
    Then the exchange satisfies every "RAD-47" requirement
    And the requirement "RAD-47-PMC-27" is met

  @option:web-content @mesa:1910 @mesa:1911 @req:RAD-47-WEB-01 @req:RAD-47-WEB-02 @req:RAD-47-WEB-04 @req:RAD-47-WEB-05 @req:RAD-47-WEB-10
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
  Scenario Outline: A DVD with <content>
    When the system under test writes "<content>" to a "DVD"
    Then the exchange satisfies every "RAD-47" requirement

    Examples:
      | content           |
      | one patient       |
      | compressed images |

  @option:usb-media @req:RAD-47-PMC-26
  Scenario Outline: A USB stick with <content>
    When the system under test writes "<content>" to a "USB"
    Then the exchange satisfies every "RAD-47" requirement

    Examples:
      | content           |
      | one patient       |
      | compressed images |

  @option:privacy-protection @req:RAD-47-SEC-01
  Scenario: A CD that nobody reads without the password
    When the system under test writes "two patients" to a "protected CD"
    Then the exchange satisfies every "RAD-47" requirement
    And the requirement "RAD-47-SEC-01" is met

  @manual @req:RAD-47-PMC-33
  Scenario: The printed label
    When the system under test writes "one patient" to a "CD"
    Then the operator confirms "RAD-47-PMC-33": "Does the label show patient, date, institution and whether the medium is DICOM ONLY or DICOM PLUS WEB?"

  @manual @req:RAD-47-PMC-35
  Scenario: A volume that stays open
    When the system under test writes "one patient" to a "CD"
    Then the operator confirms "RAD-47-PMC-35": "Does the product offer to finalise the volume, or to leave it open for further sessions?"

  @manual @req:RAD-47-PMC-32
  Scenario: Additional content belongs to the patients of the medium
    When the system under test writes "two patients" to a "CD"
    Then the operator confirms "RAD-47-PMC-32": "Does everything on the medium that is no DICOM object belong to the two patients, or to nobody?"

  @manual @option:web-content @req:RAD-47-WEB-09
  Scenario: Pages of several patients
    When the system under test writes "two patients" to a "CD"
    Then the operator confirms "RAD-47-WEB-09": "Does each entry page name its patient, and does no page mix the two?"

  @manual @option:basic-image-review @req:PDI-OPT-03
  Scenario: The viewer on the medium
    When the system under test writes "one patient" to a "CD"
    Then the operator confirms "PDI-OPT-03": "Does the viewer on the medium start and show thumbnails of all series, two series side by side that scroll together, patient and side on each image, windowing, zoom, distances, angles, and moving images as cine?"
