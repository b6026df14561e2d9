@profile:ARI @actor:report-reader @transaction:RAD-26 @transaction:RAD-27
Feature: The report reader finds and shows reports
  The product under test is a Report Reader; the Image Manager of the harness keeps the reports.

  @manual @req:RAD-26-SCU-01
  Scenario Outline: The user looks for reports by <key>
    When the system under test queries reports by
      | <key> | <value> |
    Then a "C-FIND-RQ" reaches the "Image Manager/Archive"
    And the requirement "RAD-26-SCU-01" is met

    Examples:
      | key             | value    |
      | PatientName     | DOE*     |
      | PatientID       | P-1001   |
      | AccessionNumber | CPI1     |
      | StudyDate       | 20260105 |
