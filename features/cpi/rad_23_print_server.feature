@profile:CPI @actor:print-server @transaction:RAD-23
Feature: RAD-23 Print Request with Presentation LUT: the server prints
  The product under test is a Print Server; the Print Composer is simulated.

  @quick @req:RAD-23-SCP-01 @req:RAD-23-SCP-02 @req:CPI-ACT-05
  Scenario Outline: A film with the Presentation LUT <lut>
    When the Print Composer prints the step wedge with
      | Presentation LUT | <lut> |
    Then the film was printed
    And the exchange satisfies every "RAD-23" requirement

    Examples:
      | lut      |
      | IDENTITY |
      | LIN OD   |
      | table    |

  @req:RAD-23-SCP-03
  Scenario Outline: Format <format>, which is printed or refused, with <count> image(s)
    When the Print Composer prints <count> images in the format "<format>"
    Then the film was printed
    And the requirement "RAD-23-SCP-03" is met

    Examples:
      | format       | count |
      | STANDARD\1,1 | 1     |
      | STANDARD\1,2 | 2     |
      | STANDARD\2,2 | 4     |
      | STANDARD\2,3 | 6     |
      | ROW\1,2      | 3     |
      | COL\2,1      | 3     |
      | SLIDE        | 1     |
      | SUPERSLIDE   | 1     |
      | CUSTOM\1     | 1     |

  @req:RAD-23-SCP-04
  Scenario: Film size, orientation and magnification, which are done or told not to be
    When the Print Composer prints the step wedge with
      | film size     | 14INX17IN |
      | orientation   | LANDSCAPE |
      | magnification | BILINEAR  |
    Then the film was printed
    And the requirement "RAD-23-SCP-04" is met

  @req:RAD-23-SCP-04 @req:RAD-23-SCP-05
  Scenario: Densities and viewing light
    When the Print Composer prints the step wedge with
      | minimum density         | 20   |
      | maximum density         | 300  |
      | illumination            | 2500 |
      | reflected ambient light | 15   |
    Then the film was printed
    And the requirement "RAD-23-SCP-04" is met
    And the requirement "RAD-23-SCP-05" is met

  @req:RAD-23-SCP-06
  Scenario: A maximum density that no printer reaches
    When the Print Composer prints the step wedge with
      | unreachable maximum density | 990 |
    Then the requirement "RAD-23-SCP-06" is met

  @req:RAD-23-SCP-09
  Scenario: A film without an image
    When the Print Composer prints the step wedge with
      | images | none |
    Then the requirement "RAD-23-SCP-09" is met

  @req:RAD-23-SCP-09
  Scenario: An image that is larger than any film
    When the Print Composer prints the step wedge with
      | images | too large |
    Then the requirement "RAD-23-SCP-09" is met

  @req:RAD-23-SCP-15
  Scenario: An image that is larger than any film and must not be made smaller
    When the Print Composer prints the step wedge with
      | images                 | too large |
      | decimate/crop behavior | FAIL      |
    Then the requirement "RAD-23-SCP-15" is met

  @req:RAD-23-SCP-14
  Scenario: The film session is changed; Presentation LUT and film box are deleted before it
    When the Print Composer prints the step wedge with
      | priority changed to | LOW                        |
      | then deleted        | film box, Presentation LUT |
    Then the requirement "RAD-23-SCP-14" is met

  @req:RAD-23-SCP-10
  Scenario Outline: A value that no printer has: <setting>
    When the Print Composer prints the step wedge with
      | unsupported <setting> | <value> |
    Then the requirement "RAD-23-SCP-10" is met

    Examples:
      | setting       | value     |
      | film size     | 99INX99IN |
      | orientation   | DIAGONAL  |
      | magnification | BLURRED   |

  @quick @req:RAD-23-SCP-11
  Scenario: The printer is asked for its state
    When the Print Composer prints the step wedge with
      | Presentation LUT | IDENTITY |
    Then the film was printed
    And the requirement "RAD-23-SCP-11" is met

  @req:RAD-23-SCP-13
  Scenario: The print job of a film is named, and says what became of it
    When the Print Composer prints the step wedge with
      | Presentation LUT | IDENTITY |
    Then the film was printed
    And the requirement "RAD-23-SCP-13" is met

  @manual @req:RAD-23-SCP-12
  Scenario Outline: The printer becomes <status> while a composer is connected
    When the printer becomes "<status>" while the Print Composer is connected
    Then the requirement "RAD-23-SCP-12" is met
    And the requirement "RAD-23-SCP-11" is met

    Examples:
      | status  |
      | WARNING |
      | FAILURE |

  @manual @req:RAD-23-SCP-08
  Scenario: Two images with Presentation LUTs of their own
    When the Print Composer prints the step wedge with
      | Presentation LUTs | IDENTITY, LIN OD |
    And the densities of image 2 of the film are measured
    Then the film was printed
    And the requirement "RAD-23-SCP-08" is met

  @manual @req:RAD-23-SCP-07
  Scenario Outline: Black stays black: <photometric>, Polarity <polarity>
    When the Print Composer prints the step wedge with
      | photometric interpretation | <photometric> |
      | polarity                   | <polarity>    |
    And the densities of image 1 of the film are measured
    Then the film was printed
    And the requirement "RAD-23-SCP-07" is met

    Examples:
      | photometric | polarity |
      | MONOCHROME2 | REVERSE  |
      | MONOCHROME1 | NORMAL   |
      | MONOCHROME1 | REVERSE  |

  @manual @req:RAD-23-SCP-07
  Scenario Outline: Densities follow the display function at <illumination> cd/m2
    When the Print Composer prints the step wedge with
      | minimum density         | 20             |
      | maximum density         | <density>      |
      | illumination            | <illumination> |
      | reflected ambient light | 10             |
    And the densities of image 1 of the film are measured
    Then the film was printed
    And the requirement "RAD-23-SCP-07" is met

    Examples:
      | illumination | density |
      | 2000         | 300     |
      | 4000         | 280     |
