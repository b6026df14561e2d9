@profile:SWF @profile:SWF.b @actor:order-filler @transaction:RAD-5
Feature: RAD-5 Query Modality Worklist: the order filler answers
  The product under test is a DSS/Order Filler; the Acquisition Modality is simulated.

  Background:
    Given the system under test has scheduled these steps
      | step | patient | modality | start          | station | procedure | order | physician  |
      | S1   | doe     | CT       | today 09:00    | AE_ONE  | P1        | O1    | Adams^Ann  |
      | S2   | doe     | CT       | today 13:30    | AE_ONE  | P1        | O1    | Adams^Ann  |
      | S3   | roe     | MR       | today 10:30    | AE_TWO  | P2        | O2    | Baker^Bob  |
      | S4   | dole    | MR       | tomorrow 09:00 | AE_TWO  | P3        | O3    | Baker^Bill |
      | S5   | mueller | DX       | tomorrow 15:00 | AE_TWO  | P4        | O4    | Clark^Cy   |

  @quick @req:RAD-5-SCP-01 @req:RAD-5-SCP-12 @req:RAD-5-SCP-13 @req:RAD-5-SCP-14 @req:RAD-5-SCP-20
  Scenario: Empty keys match everything
    When the Acquisition Modality queries the worklist by
      | PatientName | |
    Then exactly the steps "S1, S2, S3, S4, S5" are returned
    And the exchange satisfies every "RAD-5" requirement

  Scenario Outline: Matching by <what>
    When the Acquisition Modality queries the worklist by
      | <keyword> | <value> |
    Then exactly the steps "<steps>" are returned
    And the requirement "<requirement>" is met
    And the exchange satisfies every "RAD-5" requirement

    Examples:
      | what                           | keyword                         | value           | steps          | requirement  |
      | station AE title               | ScheduledStationAETitle         | AE_ONE          | S1, S2         | RAD-5-SCP-02 |
      | the other station              | ScheduledStationAETitle         | AE_TWO          | S3, S4, S5     | RAD-5-SCP-02 |
      | start date                     | ScheduledProcedureStepStartDate | today           | S1, S2, S3     | RAD-5-SCP-03 |
      | a range of dates               | ScheduledProcedureStepStartDate | today-tomorrow  | S1, S2, S3, S4, S5 | RAD-5-SCP-03 |
      | an open range of dates         | ScheduledProcedureStepStartDate | tomorrow-       | S4, S5         | RAD-5-SCP-03 |
      | modality                       | Modality                        | MR              | S3, S4         | RAD-5-SCP-05 |
      | performing physician, wildcard | ScheduledPerformingPhysicianName | Baker*         | S3, S4         | RAD-5-SCP-06 |
      | patient name, wildcard         | PatientName                     | DO*             | S1, S2, S4     | RAD-5-SCP-07 |
      | patient name, one character    | PatientName                     | ?OE^*           | S1, S2, S3     | RAD-5-SCP-07 |
      | patient ID                     | PatientID                       | ID of S3        | S3             | RAD-5-SCP-08 |
      | accession number               | AccessionNumber                 | accession of S1 | S1, S2         | RAD-5-SCP-09 |
      | requested procedure ID         | RequestedProcedureID            | procedure of S4 | S4             | RAD-5-SCP-10 |

  @req:RAD-5-SCP-04
  Scenario: A range of times on one day
    When the Acquisition Modality queries the worklist by
      | ScheduledProcedureStepStartDate | today         |
      | ScheduledProcedureStepStartTime | 100000-140000 |
    Then exactly the steps "S2, S3" are returned
    And the exchange satisfies every "RAD-5" requirement

  @quick @req:RAD-5-SCP-11
  Scenario: Keys combine with AND
    When the Acquisition Modality queries the worklist by
      | Modality    | MR       |
      | PatientID   | ID of S1 |
    Then exactly the steps "none" are returned
    And the exchange satisfies every "RAD-5" requirement

  @req:RAD-5-SCP-21
  Scenario: A name beyond the default repertoire
    When the Acquisition Modality queries the worklist by
      | PatientID | ID of S5 |
    Then exactly the steps "S5" are returned
    And the requirement "RAD-5-SCP-21" is met
    And the exchange satisfies every "RAD-5" requirement

  @req:RAD-5-SCP-28
  Scenario: Identifiers are stable over repeated queries
    When the Acquisition Modality queries the worklist by
      | PatientID | ID of S1 |
    Then exactly the steps "S1, S2" are returned
    When the Acquisition Modality queries the worklist by
      | PatientID | ID of S1 |
    Then exactly the steps "S1, S2" are returned
    And the requirement "RAD-5-SCP-28" is met
