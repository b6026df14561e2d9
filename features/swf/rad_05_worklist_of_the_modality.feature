@profile:SWF @profile:SWF.b @actor:acquisition-modality @transaction:RAD-5
Feature: RAD-5 Query Modality Worklist: the modality asks
  The product under test is an Acquisition Modality; the DSS/Order Filler is simulated.

  @quick @option:broad-worklist-query @req:RAD-5-SCU-01 @req:RAD-5-SCU-02 @req:RAD-5-SCU-03 @req:RAD-5-SCU-09 @req:RAD-5-SCU-13 @req:RAD-5-SCU-14
  Scenario: Broad query by start date
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
      | S2   | roe       | MR       | today 10:30 |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 2 matches
    And the exchange satisfies every "RAD-5" requirement

  @option:broad-worklist-query @req:RAD-5-SCU-10
  Scenario: Broad query by start date and modality
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
      | S2   | roe       | MR       | today 10:30 |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
      | Modality                        | MR    |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 1 match
    And the exchange satisfies every "RAD-5" requirement

  @option:broad-worklist-query @req:RAD-5-SCU-11
  Scenario: Broad query by start date and station
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       | station   |
      | S1   | doe       | CT       | today 09:00 | this      |
      | S2   | roe       | CT       | today 10:30 | ELSEWHERE |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
      | ScheduledStationAETitle         | this  |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 1 match
    And the exchange satisfies every "RAD-5" requirement

  @option:broad-worklist-query @req:RAD-5-SCU-12
  Scenario: Broad query by a range of dates
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start          |
      | S1   | doe       | CT       | today 09:00    |
      | S2   | roe       | CT       | tomorrow 09:00 |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today-tomorrow |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 2 matches
    And the exchange satisfies every "RAD-5" requirement

  @option:patient-based-worklist-query
  Scenario Outline: Patient-based query by <what>
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
      | S2   | roe       | MR       | today 10:30 |
    When the system under test queries the worklist by
      | <keyword> | <value> |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 1 match
    And the requirement "<requirement>" is met
    And the exchange satisfies every "RAD-5" requirement

    Examples:
      | what                   | keyword              | value            | requirement  |
      | patient name           | PatientName          | name of S1       | RAD-5-SCU-04 |
      | patient ID             | PatientID            | ID of S1         | RAD-5-SCU-05 |
      | accession number       | AccessionNumber      | accession of S1  | RAD-5-SCU-06 |
      | requested procedure ID | RequestedProcedureID | procedure of S1  | RAD-5-SCU-07 |

  @option:patient-based-worklist-query @req:RAD-5-SCU-08
  Scenario: Patient-based query by several keys at once
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
      | S2   | roe       | MR       | today 10:30 |
    When the system under test queries the worklist by
      | PatientName          | name of S1      |
      | PatientID            | ID of S1        |
      | AccessionNumber      | accession of S1 |
      | RequestedProcedureID | procedure of S1 |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 1 match
    And the exchange satisfies every "RAD-5" requirement

  @req:RAD-5-SCU-17
  Scenario: Nothing is scheduled
    Given the Order Filler has nothing scheduled
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 0 matches
    And the requirement "RAD-5-SCU-17" is met

  @req:RAD-5-SCU-18
  Scenario: The worklist provider is out of resources
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
    And the Order Filler answers every query with "A700"
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the requirement "RAD-5-SCU-18" is met

  @req:RAD-5-SCU-16
  Scenario: Matches with and without support of optional keys are both matches
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
      | S2   | roe       | CT       | today 09:30 |
      | S3   | kim       | CT       | today 10:00 |
    And the Order Filler answers every query with "FF00 and FF01 in turn"
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the query was answered with 3 matches
    And the requirement "RAD-5-SCU-16" is met

  @transaction:RAD-6 @req:RAD-5-SCU-19
  Scenario: The order is changed between two queries
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    When the Order Filler changes the "RequestedProcedureDescription" of "S1" to "CT head with contrast"
    And the system under test performs "S1" with 1 image
    Then an "N-CREATE-RQ" reaches the "PPS Manager"
    And an "N-SET-RQ" with a final state reaches the "PPS Manager"
    And the requirement "RAD-5-SCU-19" is met

  @manual @req:RAD-5-SCU-15
  Scenario: The operator sees what identifies patient and step
    Given the Order Filler has scheduled these steps
      | step | patient   | modality | start       |
      | S1   | doe       | CT       | today 09:00 |
    When the system under test queries the worklist by
      | ScheduledProcedureStepStartDate | today |
    Then a "C-FIND-RQ" reaches the "DSS/Order Filler"
    And the operator confirms "RAD-5-SCU-15": "The product shows start date and time, modality, step description, procedure ID and description, accession number, patient name, ID, birth date and sex of the entry."
