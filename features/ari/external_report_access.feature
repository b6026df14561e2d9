@profile:ARI @actor:external-report-repository @transaction:RAD-26 @transaction:RAD-27
Feature: External report repository access offers foreign reports
  The product under test is an External Report Repository Access; the Report Reader is simulated.

  @req:RAD-27-SCP-01 @req:RAD-27-SCP-02 @req:RAD-27-SCP-03 @req:ARI-ACT-05
  Scenario: A foreign report is found and fetched
    Given the system under test holds a "basic report"
    When the Report Reader looks for "SR" objects of that patient
    And the Report Reader retrieves that study
    Then every stored object comes back
    And the exchange satisfies every "RAD-26" requirement
    And the exchange satisfies every "RAD-27" requirement

  @req:RAD-26-SCP-03 @req:RAD-26-SCP-04
  Scenario: Foreign reports are found by their keys, and only in the hierarchy
    When the Acquisition Modality stores the study "report"
    And the Report Reader queries at "STUDY" level by
      | PatientID | ID of report |
    Then exactly the studies of "report" are returned
    And the requirement "RAD-26-SCP-03" is met
    When the Report Reader queries at "SERIES" level without the study UID
    Then the requirement "RAD-26-SCP-04" is met

  @req:RAD-27-SCP-04
  Scenario: A foreign report is not sent to a stranger
    When the Acquisition Modality stores the study "report"
    And the Report Reader retrieves "STUDY" of "report" to the unknown destination "NOWHERE"
    Then the requirement "RAD-27-SCP-04" is met

  @req:RAD-27-SCP-04
  Scenario Outline: A foreign report is fetched at <level> level by <way>
    When the Acquisition Modality stores the study "measured report"
    And the Report Reader <verb> "<level>" of "measured report"
    Then exactly the instances that were asked for arrive
    And the requirement "RAD-27-SCP-04" is met

    Examples:
      | level | way    | verb      |
      | STUDY | C-MOVE | retrieves |
      | IMAGE | C-MOVE | retrieves |
      | STUDY | C-GET  | gets      |

  @req:RAD-27-SCP-05
  Scenario: The retrieve of many foreign reports is cancelled once the first is there
    When the Acquisition Modality stores the study "many reports"
    And the Report Reader retrieves and cancels "STUDY" of "many reports"
    Then the requirement "RAD-27-SCP-05" is met
