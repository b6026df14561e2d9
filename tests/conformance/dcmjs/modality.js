'use strict';
// An acquisition modality on dcmjs-dimse, a DICOM stack of others: asked over HTTP, it queries, performs, stores, asks
// for commitment. It is kept plain on purpose: what the stack does on the wire is what is under test.
const http = require('http');
const dcmjsDimse = require('dcmjs-dimse');

const { Client, Server, Scp, Dataset } = dcmjsDimse;
const { CEchoRequest, CFindRequest, CStoreRequest, NCreateRequest, NSetRequest, NActionRequest } = dcmjsDimse.requests;
const { CEchoResponse, NEventReportResponse } = dcmjsDimse.responses;
const { PresentationContextResult, TransferSyntax } = dcmjsDimse.constants;

const site = JSON.parse(process.argv[2]); // ae, host, port, control, worklist, steps, archive
const MPPS = '1.2.840.10008.3.1.2.3.3';
const COMMITMENT = ['1.2.840.10008.1.20.1', '1.2.840.10008.1.20.1.1'];
const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const REPORT_WITHIN = 8000; // ms

let counter = 0;
const uid = () => `2.25.${BigInt(Date.now()) * 1000000n + BigInt(process.pid % 1000) * 1000n + BigInt(counter++ % 1000)}`;
const two = (number) => String(number).padStart(2, '0');
function now() {
  const d = new Date();
  return [
    `${d.getFullYear()}${two(d.getMonth() + 1)}${two(d.getDate())}`,
    `${two(d.getHours())}${two(d.getMinutes())}${two(d.getSeconds())}`,
  ];
}

// All responses to these requests, sent over one association.
function exchange(requests, peer) {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const responses = [];
    for (const request of requests) {
      request.on('response', (response) => responses.push(response));
      client.addRequest(request);
    }
    client.on('networkError', reject);
    client.on('associationRejected', () => reject(new Error(`${peer.ae} rejected the association`)));
    client.on('closed', () => resolve(responses));
    client.send(site.host, peer.port, site.ae, peer.ae);
  });
}

async function succeed(what, requests, peer) {
  const responses = await exchange(requests, peer);
  const bad = responses.find((response) => response.getStatus() !== 0);
  if (bad) throw new Error(`${what} was answered with ${bad.getStatus().toString(16)}`);
  if (responses.length < requests.length) throw new Error(`${what} was not answered`);
}

class Listener extends Scp {
  associationRequested(association) {
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const explicit = context.getTransferSyntaxUids().includes(EXPLICIT);
      context.setResult(
        PresentationContextResult.Accept,
        explicit ? TransferSyntax.ExplicitVRLittleEndian : TransferSyntax.ImplicitVRLittleEndian
      );
    }
    this.sendAssociationAccept();
  }
  cEchoRequest(request, answer) {
    const response = CEchoResponse.fromRequest(request);
    response.setStatus(0);
    answer(response);
  }
  nEventReportRequest(request, answer) {
    const response = NEventReportResponse.fromRequest(request);
    response.setStatus(0);
    answer(response);
    if (Listener.reported) Listener.reported();
  }
  associationReleaseRequested() {
    this.sendAssociationReleaseResponse();
  }
}

async function worklist(asked) {
  const step = {
    Modality: '', ScheduledStationAETitle: '', ScheduledProcedureStepStartDate: '', ScheduledProcedureStepStartTime: '',
    ScheduledPerformingPhysicianName: '', ScheduledProcedureStepDescription: '', ScheduledStationName: '',
    ScheduledProcedureStepLocation: '', ScheduledProtocolCodeSequence: [], PreMedication: '', ScheduledProcedureStepID: '',
  };
  const keys = {
    AccessionNumber: '', ReferringPhysicianName: '', ReferencedStudySequence: [], ReferencedPatientSequence: [],
    PatientName: '', PatientID: '', PatientBirthDate: '', PatientSex: '', PatientWeight: '', StudyInstanceUID: '',
    AdmissionID: '', CurrentPatientLocation: '', RequestingPhysician: '', RequestedProcedureDescription: '',
    RequestedProcedureCodeSequence: [], RequestedProcedureID: '', RequestedProcedurePriority: '',
    PatientTransportArrangements: '', ConfidentialityConstraintOnPatientDataDescription: '', PatientState: '',
    MedicalAlerts: '', Allergies: '', SpecialNeeds: '',
  };
  for (const [key, value] of Object.entries(asked)) (key in step ? step : keys)[key] = value;
  const request = CFindRequest.createWorklistFindRequest({});
  request.setDataset(new Dataset({ ...keys, ScheduledProcedureStepSequence: [step] }));
  const responses = await exchange([request], site.worklist);
  const last = responses[responses.length - 1];
  if (!last || ![0, 0xff01].includes(last.getStatus())) throw new Error('the worklist was not answered to the end');
  return responses.filter((response) => response.hasDataset()).map((response) => response.getDataset().getElements());
}

const begun = new Map(); // study -> the date and time of its first step

// Query, perform one step, store, end it, and have the images committed.
async function perform(asked) {
  const wanted = [].concat(asked.step_ids).map(String);
  const rows = await worklist({ ScheduledProcedureStepStartDate: now()[0] });
  const row = rows.find((each) => wanted.includes(String(each.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID)));
  if (!row) throw new Error(`no worklist row for the step ${wanted}`);
  const step = row.ScheduledProcedureStepSequence[0];
  const [date, time] = now();
  if (!begun.has(row.StudyInstanceUID)) begun.set(row.StudyInstanceUID, [date, time]);
  const [studyDate, studyTime] = begun.get(row.StudyInstanceUID);
  const performed = uid();
  const series = uid();
  const id = `P${String(Date.now()).slice(-9)}`;
  const patient = {
    PatientName: row.PatientName, PatientID: row.PatientID,
    PatientBirthDate: row.PatientBirthDate || '', PatientSex: row.PatientSex || '',
    ...(row.SpecificCharacterSet ? { SpecificCharacterSet: row.SpecificCharacterSet } : {}),
  };
  const scheduled = {
    RequestedProcedureID: row.RequestedProcedureID, ScheduledProcedureStepID: step.ScheduledProcedureStepID,
    ScheduledProcedureStepDescription: step.ScheduledProcedureStepDescription || '',
    ScheduledProtocolCodeSequence: step.ScheduledProtocolCodeSequence || [],
  };
  const performance = {
    PerformedProcedureStepDescription: '', PerformedProcedureTypeDescription: '', ProcedureCodeSequence: [],
    PerformedProcedureStepEndDate: '', PerformedProcedureStepEndTime: '',
    PerformedProtocolCodeSequence: step.ScheduledProtocolCodeSequence || [], PerformedSeriesSequence: [],
  };
  const create = new NCreateRequest(MPPS, performed);
  create.setDataset(new Dataset({
    ...patient, ...performance, Modality: step.Modality, PerformedProcedureStepID: id, ReferencedPatientSequence: [],
    ScheduledStepAttributesSequence: [{
      ...scheduled, StudyInstanceUID: row.StudyInstanceUID, ReferencedStudySequence: row.ReferencedStudySequence || [],
      AccessionNumber: row.AccessionNumber || '', RequestedProcedureDescription: row.RequestedProcedureDescription || '',
    }],
    PerformedStationAETitle: site.ae, PerformedStationName: '', PerformedLocation: '',
    PerformedProcedureStepStartDate: date, PerformedProcedureStepStartTime: time,
    PerformedProcedureStepStatus: 'IN PROGRESS', StudyID: row.RequestedProcedureID,
  }));
  await succeed('N-CREATE', [create], site.steps);

  const images = [];
  for (let number = 1; number <= Number(asked.images || 1) - Number(asked.reject || 0); number++) {
    images.push({
      ...patient, SOPClassUID: CT, SOPInstanceUID: uid(), ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'], Modality: 'CT',
      StudyDate: studyDate, SeriesDate: date, AcquisitionDate: date, ContentDate: date, StudyTime: studyTime, SeriesTime: time,
      AcquisitionTime: time, ContentTime: time, AccessionNumber: row.AccessionNumber || '', Manufacturer: 'Example',
      ReferringPhysicianName: row.ReferringPhysicianName || '', StudyID: row.RequestedProcedureID, ProtocolName: 'Head',
      StudyInstanceUID: row.StudyInstanceUID, SeriesInstanceUID: series, SeriesNumber: '1', AcquisitionNumber: '1',
      InstanceNumber: String(number), ReferencedStudySequence: row.ReferencedStudySequence || [],
      FrameOfReferenceUID: `${series}.1`, PositionReferenceIndicator: '', PatientPosition: 'HFS', KVP: '120',
      ImagePositionPatient: ['0', '0', String(number)], ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
      PixelSpacing: ['1', '1'], SliceThickness: '1', RequestAttributesSequence: [scheduled],
      ReferencedPerformedProcedureStepSequence: [{ ReferencedSOPClassUID: MPPS, ReferencedSOPInstanceUID: performed }],
      PerformedProcedureStepID: id, PerformedProcedureStepStartDate: date, PerformedProcedureStepStartTime: time,
      PerformedProtocolCodeSequence: step.ScheduledProtocolCodeSequence || [],
      SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', Rows: 16, Columns: 16, BitsAllocated: 16,
      BitsStored: 12, HighBit: 11, PixelRepresentation: 0, RescaleIntercept: '0', RescaleSlope: '1',
      WindowCenter: '128', WindowWidth: '256', _vrMap: { PixelData: 'OW' },
      PixelData: [Uint16Array.from({ length: 256 }, (_, value) => value).buffer],
    });
  }
  const references = images.map((image) => ({
    ReferencedSOPClassUID: image.SOPClassUID, ReferencedSOPInstanceUID: image.SOPInstanceUID,
  }));
  if (images.length) {
    const stores = images.map((image) => new CStoreRequest(new Dataset(image, EXPLICIT)));
    await succeed('C-STORE', stores, site.archive);
  }

  const end = new NSetRequest(MPPS, performed);
  const [endDate, endTime] = now();
  end.setDataset(new Dataset({
    ...performance, PerformedProcedureStepStatus: 'COMPLETED',
    ...(row.SpecificCharacterSet ? { SpecificCharacterSet: row.SpecificCharacterSet } : {}),
    PerformedProcedureStepEndDate: endDate, PerformedProcedureStepEndTime: endTime,
    PerformedSeriesSequence: [{
      PerformingPhysicianName: '', OperatorsName: '', ProtocolName: 'Head', SeriesInstanceUID: series,
      SeriesDescription: '', RetrieveAETitle: '', ReferencedImageSequence: references,
      ReferencedNonImageCompositeSOPInstanceSequence: [],
    }],
  }));
  await succeed('N-SET', [end], site.steps);

  if (asked.commit === false) return;
  const reported = new Promise((resolve, reject) => {
    Listener.reported = resolve;
    setTimeout(() => reject(new Error('no commitment report came')), REPORT_WITHIN).unref();
  });
  const action = new NActionRequest(...COMMITMENT, 1);
  action.setDataset(new Dataset({ TransactionUID: uid(), ReferencedSOPSequence: references }));
  await succeed('N-ACTION', [action], site.archive);
  await reported;
}

const ACTIONS = {
  verify: () => succeed('C-ECHO', [new CEchoRequest()], site.archive),
  'query-worklist': async (asked) => ({ entries: (await worklist(asked.keys || {})).length, error: '' }),
  'perform-step': perform,
};

new Server(Listener).listen(site.port);
http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const act = ACTIONS[request.url.slice(1)];
    try {
      const answer = act ? await act(JSON.parse(Buffer.concat(chunks).toString() || '{}')) : {};
      response.writeHead(act ? 200 : 501, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer || {}));
    } catch (error) {
      response.writeHead(500, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ detail: error.message }));
    }
  });
}).listen(site.control, '127.0.0.1');
