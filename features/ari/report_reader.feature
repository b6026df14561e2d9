@profile:ARI @actor:report-reader @transaction:RAD-26 @transaction:RAD-27
Feature: The report reader finds and shows reports
  The product under test is a Report Reader; Report Repository and External Report Repository Access are simulated.

  @quick @req:RAD-26-SCU-01
  Scenario Outline: The user looks for reports by <key>
    Given the "Report Repository" holds a "basic report"
    When the system under test queries reports by
      | <key> | <value> |
    Then a "C-FIND-RQ" reaches the "Report Repository"
    And the requirement "RAD-26-SCU-01" is met

    Examples:
      | key             | value        |
      | PatientName     | DOE*         |
      | PatientID       | that patient |
      | AccessionNumber | CPI1         |
      | StudyDate       | 20260105     |

  @req:RAD-26-SCU-02 @req:RAD-26-SCU-03 @req:RAD-27-SCU-01 @req:RAD-27-SCU-05 @req:ARI-ACT-03
  Scenario Outline: A <report> is read
    Given the "Report Repository" holds a "<report>"
    When the system under test queries reports by
      | PatientID | that patient |
    And the system under test reads the report
    Then a "C-MOVE-RQ" reaches the "Report Repository"
    And a "C-STORE-RSP" reaches the "Report Repository"
    And the requirement "RAD-26-SCU-02" is met
    And the requirement "RAD-26-SCU-03" is met
    And the requirement "RAD-27-SCU-01" is met
    And the requirement "RAD-27-SCU-05" is met
    And the requirement "ARI-ACT-03" is met

    Examples:
      | report             |
      | basic report       |
      | preliminary report |
      | Japanese report    |
      | Korean report      |
      | corrected report     |

  @req:RAD-27-SCU-02
  Scenario: A report with measurements is read
    Given the "Report Repository" holds a "measured report"
    When the system under test reads the report
    Then a "C-MOVE-RQ" reaches the "Report Repository"
    And the requirement "RAD-27-SCU-02" is met

  @req:RAD-27-SCU-03
  Scenario Outline: A <report> is shown as it was meant
    Given the "Report Repository" holds a "<report>"
    When the system under test reads the report
    Then the operator confirms "RAD-27-SCU-03": "Does the product show title, patient, observer, status and every sentence of the report?"

    Examples:
      | report             |
      | basic report       |
      | preliminary report |
      | measured report    |
      | Japanese report    |
      | Korean report      |
      | corrected report     |

  @manual @req:RAD-27-SCU-04
  Scenario: The image of a report is opened from it
    Given the "Report Repository" holds a "basic report"
    When the system under test reads the report
    Then the operator confirms "RAD-27-SCU-04": "Can the image that the report refers to be opened from it?"

  @option:multiple-sources @req:RAD-26-SCU-01
  Scenario: Reports of two sources are found
    Given the "Report Repository" holds a "basic report"
    And the "External Report Repository Access" holds a "basic report"
    When the system under test queries reports by
      | StudyDate | 20260105 |
    Then a "C-FIND-RQ" reaches the "Report Repository"
    And a "C-FIND-RQ" reaches the "External Report Repository Access"
    And the requirement "RAD-26-SCU-01" is met

  @option:multiple-sources @req:RAD-26-SCU-01 @req:ARI-SRC-01
  Scenario: A source that is away hides nothing
    Given the "Report Repository" holds a "basic report"
    And the "External Report Repository Access" holds a "basic report"
    And the "External Report Repository Access" is down
    When the system under test queries reports by
      | StudyDate | 20260105 |
    Then a "C-FIND-RQ" reaches the "Report Repository"
    And the requirement "RAD-26-SCU-01" is met
    And the operator confirms "ARI-SRC-01": "Are the reports of the source that answered shown, and is it said that the other did not answer?"

  @manual @option:multiple-sources @req:ARI-OPT-01
  Scenario: Reports of two sources are shown in one list
    Given the "Report Repository" holds a "basic report"
    And the "External Report Repository Access" holds a "basic report"
    When the system under test queries reports by
      | StudyDate | 20260105 |
    Then the operator confirms "ARI-OPT-01": "Does the product ask both sources and show what they found in one list?"
