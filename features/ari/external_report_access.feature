@profile:ARI @actor:external-report-repository @transaction:RAD-26 @transaction:RAD-27
Feature: External report repository access offers foreign reports
  The product under test is an External Report Repository Access; the Report Reader is simulated.

  @req:RAD-27-SCP-01 @req:RAD-27-SCP-02 @req:RAD-27-SCP-03 @req:ARI-ACT-05
  Scenario: A foreign report is found and fetched
    Given the repository holds a "basic report"
    When the Report Reader looks for "SR" objects of that patient
    And the Report Reader retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-26" requirement
    And the exchange satisfies every "RAD-27" requirement
