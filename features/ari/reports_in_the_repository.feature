@profile:ARI @actor:report-repository @transaction:RAD-26 @transaction:RAD-27
Feature: The report repository answers queries and delivers reports
  The product under test is a Report Repository; the Report Reader is simulated.

  @quick @req:RAD-26-SCP-01 @req:RAD-26-SCP-02 @req:RAD-27-SCP-01 @req:RAD-27-SCP-02 @req:ARI-ACT-04
  Scenario Outline: A <report>
    Given the repository holds a "<report>"
    When the Report Reader looks for "SR" objects of that patient
    And the Report Reader retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-26" requirement
    And the exchange satisfies every "RAD-27" requirement

    Examples:
      | report             |
      | basic report       |
      | preliminary report |
      | measured report    |
      | Japanese report    |
