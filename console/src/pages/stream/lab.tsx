import { useEffect, useState } from "preact/hooks";
import { asCli, asCurl } from "../../api/command.ts";
import { type ApiError, asApiError } from "../../api/error.ts";
import { type Api, imageBlob } from "../../api/operations.ts";
import type { ImageEntry, StreamInfo } from "../../api/types.ts";
import { bytes, t, timeOfDay } from "../../app/i18n.ts";
import { clock } from "../../app/session.ts";
import { fileName, saveFile } from "../../player/snapshot.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { copy, useCopied } from "../../ui/copy.ts";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorBox, Skeleton } from "../../ui/states.tsx";
import { API_NAMES, FIELDS, type Field, type LabCall, type Values, hideTokens, inputOf, parseInstant } from "./lab-forms.ts";

interface LabProps {
  api: Api;
  stream: StreamInfo;
  /** A range is proposed around it. */
  playhead: number | null;
  onPlay: (url: string, kind: "hls" | "hls-live" | "dash") => void;
}

type Answer =
  | { kind: "url"; url: string; text: string }
  | { kind: "clip"; blob: Blob }
  | { kind: "images"; images: (ImageEntry & { url?: string })[]; next: string | null };

const CALLS: readonly LabCall[] = ["GetHLSStreamingSessionURL", "GetDASHStreamingSessionURL", "GetClip", "GetImages"];

function proposal(playhead: number | null): Values {
  const end = Math.min(playhead ?? clock.now(), clock.now() - 3000);
  return {
    StartTimestamp: new Date(end - 30_000).toISOString(),
    EndTimestamp: new Date(end).toISOString(),
  };
}

/** Every parameter of playback, the exact request, and what comes back. */
export function Lab({ api, stream, playhead, onPlay }: LabProps) {
  const name = stream.StreamName;
  const [call, setCall] = useState<LabCall>("GetHLSStreamingSessionURL");
  const [values, setValues] = useState<Values>({});
  const [endpoint, setEndpoint] = useState("");
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const [isOpen, setOpen] = useState(false);

  const fields = FIELDS[call];
  const isWrong = fields.some((field) => faultOf(field, values[field.name] ?? ""));
  const input = inputOf(call, name, values);
  const path = `/${call.charAt(0).toLowerCase()}${call.slice(1)}`;
  const output = call === "GetClip" ? `${name}.mp4` : undefined;

  useEffect(() => {
    let isCurrent = true;
    api.getDataEndpoint(name, API_NAMES[call]).then((url) => { if (isCurrent) setEndpoint(url); }).catch(() => {});
    return () => { isCurrent = false; };
  }, [call, name]);

  // Pictures of an answer go with it.
  useEffect(() => () => {
    if (answer?.kind === "images") for (const { url } of answer.images) if (url) URL.revokeObjectURL(url);
  }, [answer]);

  const choose = (next: LabCall) => {
    setCall(next);
    setAnswer(undefined);
    setError(undefined);
    setOpen(false);
    const range = next === "GetClip" || next === "GetImages" ? proposal(playhead) : {};
    const required = Object.fromEntries(
      FIELDS[next].filter((field) => field.isRequired && field.choices).map((field) => [field.name, field.choices?.[0] ?? ""]),
    );
    setValues({ ...required, ...range });
  };
  const set = (field: string, value: string) => {
    const next = { ...values, [field]: value };
    // A recording needs its range: one is proposed.
    if (field === "PlaybackMode" && value && value !== "LIVE" && !values["StartTimestamp"]) {
      Object.assign(next, proposal(playhead), { FragmentSelectorType: "SERVER_TIMESTAMP" });
      if (value === "LIVE_REPLAY") next["EndTimestamp"] = "";
    }
    if (field === "PlaybackMode" && (value === "LIVE" || value === "")) next["StartTimestamp"] = next["EndTimestamp"] = "";
    setValues(next);
  };

  const send = async () => {
    setBusy(true);
    setError(undefined);
    setAnswer(undefined);
    try {
      setAnswer(await ask(api, call, input));
    } catch (caught) {
      setError(asApiError(caught, call));
    }
    setBusy(false);
  };

  return (
    <div class="lab">
      <SelectField label={t("lab.call")} value={call} choices={CALLS.map((value) => ({ value, label: value }))} onChange={choose} />
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong) void send();
      }}>
        <div class="lab-form">
          {fields.map((field) => <LabField key={call + field.name} field={field} value={values[field.name] ?? ""} onChange={(value) => set(field.name, value)} />)}
        </div>
        <div class="row wrap">
          <Button type="submit" look="primary" disabled={isBusy || isWrong}>{t("lab.send")}</Button>
          <CopyButton label={t("lab.cli")} text={asCli("kinesis-video-archived-media", call, endpoint, input, output)} />
          <CopyButton label={t("lab.curl")} text={asCurl(`${endpoint}${path}`, api.client.region, input, output)} />
        </div>
      </form>
      <div class="stack">
        <h2 class="lab-head">{t("lab.request")}</h2>
        <Code text={`POST ${endpoint}${path}\n${JSON.stringify(input, null, 2)}`} label={t("lab.request")} />
      </div>
      {(isBusy || answer || error) && <h2 class="lab-head">{t("lab.answer")}</h2>}
      {isBusy && <Skeleton height="64px" />}
      {error && <ErrorBox title={t("lab.failed")} error={error} />}
      {answer?.kind === "url" && (
        <div class="stack">
          <Code text={isOpen ? answer.text : hideTokens(answer.text)} copies={answer.text} label={t("lab.answer")} />
          <div class="row wrap">
            <Button icon="play" onClick={() => onPlay(answer.url, kindOf(call, values))}>{t("lab.play")}</Button>
            <Button icon="eye" isPressed={isOpen} onClick={() => setOpen(!isOpen)}>{t(isOpen ? "lab.hide" : "lab.show")}</Button>
          </div>
        </div>
      )}
      {answer?.kind === "clip" && (
        <div class="row wrap">
          <span>{answer.blob.type} · {bytes(answer.blob.size)}</span>
          <Button icon="download" onClick={() => saveFile(answer.blob, fileName(name, (parseInstant(values["StartTimestamp"] ?? "") ?? 0) * 1000, "mp4"))}>
            {t("lab.save")}
          </Button>
        </div>
      )}
      {answer?.kind === "images" && (
        <div class="lab-images">
          {answer.images.map((image) => (
            <figure key={image.TimeStamp}>
              {image.url ? <img src={image.url} alt="" /> : <span class="muted">{image.Error}</span>}
              <figcaption>{timeOfDay(image.TimeStamp * 1000)}</figcaption>
            </figure>
          ))}
        </div>
      )}
      {answer?.kind === "images" && answer.next && <p class="small muted">{t("lab.more")}</p>}
    </div>
  );
}

function faultOf(field: Field, value: string): boolean {
  if (value === "") return Boolean(field.isRequired);
  if (field.kind === "time") return parseInstant(value) === null;
  if (field.kind === "number") {
    const number = Number(value);
    return !Number.isInteger(number) || number < (field.min ?? 0) || number > (field.max ?? Infinity);
  }
  return false;
}

function LabField({ field, value, onChange }: { field: Field; value: string; onChange: (value: string) => void }) {
  if (field.kind === "choice") {
    const empty = field.isRequired ? [] : [{ value: "", label: field.fallback ? t("lab.default", { value: field.fallback }) : t("lab.unset") }];
    return (
      <SelectField label={field.name} value={value} onChange={onChange}
        choices={[...empty, ...(field.choices ?? []).map((choice) => ({ value: choice, label: choice }))]} />
    );
  }
  const isFaulty = value !== "" && faultOf(field, value);
  return (
    <TextField label={field.name} value={value} onInput={onChange} isMono={field.kind === "time"}
      placeholder={field.fallback ?? (field.kind === "time" ? "2026-11-20T06:05:00Z" : "")}
      fault={isFaulty ? (field.kind === "time" ? t("lab.badTime") : t("lab.badNumber", { min: field.min ?? 0, max: field.max ?? "∞" })) : undefined} />
  );
}

function CopyButton({ label, text }: { label: string; text: string }) {
  const [isCopied, setCopied] = useCopied();
  return (
    <Button icon={isCopied ? "check" : "copy"} onClick={() => void copy(text).then(setCopied)}>
      {isCopied ? t("copied") : label}
    </Button>
  );
}

function kindOf(call: LabCall, values: Values): "hls" | "hls-live" | "dash" {
  if (call === "GetDASHStreamingSessionURL") return "dash";
  return values["PlaybackMode"] === "ON_DEMAND" ? "hls" : "hls-live";
}

async function ask(api: Api, call: LabCall, input: ReturnType<typeof inputOf>): Promise<Answer> {
  switch (call) {
    case "GetHLSStreamingSessionURL": {
      const url = await api.hlsSessionUrl(input);
      return { kind: "url", url, text: JSON.stringify({ HLSStreamingSessionURL: url }, null, 2) };
    }
    case "GetDASHStreamingSessionURL": {
      const url = await api.dashSessionUrl(input);
      return { kind: "url", url, text: JSON.stringify({ DASHStreamingSessionURL: url }, null, 2) };
    }
    case "GetClip":
      return { kind: "clip", blob: await api.getClip(input as never) };
    case "GetImages": {
      const { Images, NextToken } = await api.getImages(input as never);
      const format = input["Format"] === "PNG" ? "PNG" : "JPEG";
      const images = Images.map((image) => (
        image.ImageContent ? { ...image, url: URL.createObjectURL(imageBlob(image.ImageContent, format)) } : image
      ));
      return { kind: "images", images, next: NextToken };
    }
  }
}
