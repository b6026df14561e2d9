@profile:PDI @actor:media-importer @transaction:RAD-47
Feature: RAD-47 Distribute Imaging Information on Media: the importer reads
  The product under test is a Portable Media Importer; the media are made by a simulated creator.

  @quick @mesa:1931 @req:RAD-47-PMI-01 @req:RAD-47-PMI-02
  Scenario Outline: A <form> with <content>
    When the system under test imports a "<form>" with "<content>"
    Then the import came to an end
    And the requirement "RAD-47-PMI-01" is met
    And the requirement "RAD-47-PMI-02" is met

    Examples:
      | form      | content              |
      | folder    | two patients         |
      | ISO image | names of all scripts |
      | ZIP file  | every kind of object |
      | folder    | compressed images    |

  @req:RAD-47-PMI-05
  Scenario: Imported objects are those of the medium
    When the system under test imports a "folder" with "one patient"
    Then the requirement "RAD-47-PMI-05" is met

  @mesa:1932 @req:RAD-47-PMI-03
  Scenario: An object of a class that nobody knows
    When the system under test imports a "folder" with "a foreign class"
    Then the requirement "RAD-47-PMI-01" is met
    And the requirement "RAD-47-PMI-02" is met
    And the requirement "RAD-47-PMI-03" is met

  @option:privacy-protection @req:RAD-47-SEC-01
  Scenario Outline: A protected <form>
    When the system under test imports a "protected <form>" with "two patients"
    Then the import came to an end
    And the requirement "RAD-47-SEC-01" is met

    Examples:
      | form      |
      | folder    |
      | ISO image |

  @req:RAD-47-PMI-06
  Scenario Outline: The fault <fault> is survived and reported
    When the system under test imports a medium with the fault "<fault>"
    Then the import came to an end
    And the requirement "RAD-47-PMI-06" is met

    Examples:
      | fault              |
      | media-no-dicomdir  |
      | media-file-missing |
      | media-offsets      |
      | media-loop         |
      | media-dicomdir-cut |
      | media-file-cut     |
      | media-encrypted    |

  @manual @req:RAD-47-PMI-04
  Scenario: A patient whom the product knows already
    When the system under test imports a "folder" with "two patients"
    Then the operator confirms "RAD-47-PMI-04": "Did the product have the identity of each patient confirmed or reconciled before it merged anything?"

  @manual @req:RAD-47-PMI-07
  Scenario: Nothing on the medium starts by itself
    When the system under test imports a medium with the fault "media-autorun"
    Then the operator confirms "RAD-47-PMI-07": "Did the product start no program from the medium?"
