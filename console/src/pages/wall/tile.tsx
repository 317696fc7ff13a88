import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../app/i18n.ts";
import { go } from "../../app/router.ts";
import { saveSnapshot } from "../../player/snapshot.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu } from "../../ui/menu.tsx";
import { PINS, SIGNS } from "./shown.ts";
import type { Still, Wall, WallTile } from "./wall.ts";
import { badgeWords, nameWords, troubleWords, whyWords } from "./words.ts";

/** What the page calls of a tile by keys. */
export interface TileCalls {
  snapshot: () => void;
  last30: () => void;
}

interface TileProps {
  wall: Wall;
  name: string;
  still: Still | undefined;
  isEnlarged: boolean;
  hasStats: boolean;
  buttonRef: (element: HTMLButtonElement | null) => void;
  calls: RefObject<Map<string, TileCalls>>;
  onFocus: () => void;
  onEnlarge: () => void;
}

const BACK_MS = 30_000;

export function Tile({ wall, name, still, isEnlarged, hasStats, buttonRef, calls, onFocus, onEnlarge }: TileProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [tile, setTile] = useState<WallTile | null>(null);
  useEffect(() => {
    if (!video.current) return;
    const made = wall.attach(name, video.current);
    setTile(made);
    return () => wall.detach(made);
  }, [wall, name]);

  const snapshot = () => {
    const at = tile?.live?.state.wallMs;
    if (video.current && at) void saveSnapshot(video.current, name, at);
  };
  const last30 = () => go({ page: "stream", name }, { t: new Date(wall.serverNow - BACK_MS).toISOString() });
  useEffect(() => {
    calls.current?.set(name, { snapshot, last30 });
    return () => void calls.current?.delete(name);
  });

  const mode = tile?.mode.value ?? "waiting";
  const hasVideo = tile?.hasVideo.value ?? false;
  const pinned = tile?.pinned.value ?? "auto";
  const isHeard = tile?.sound.value === "on";
  const isChosen = wall.sound.value === name;
  return (
    <div class={`tile is-${mode}${isEnlarged ? " is-enlarged" : ""}`} data-stream={name} data-mode={mode}>
      {still?.url && <img class="tile-picture" src={still.url} alt="" />}
      <video ref={video} class={`tile-picture${hasVideo ? "" : " is-empty"}`} muted playsInline aria-hidden="true" />
      <Hit tile={tile} name={name} isEnlarged={isEnlarged} buttonRef={buttonRef} onFocus={onFocus} onEnlarge={onEnlarge} />
      <span class="tile-label tile-name ellipsis">{isHeard && <Icon name="sound" />}{name}</span>
      {tile && <Badge tile={tile} />}
      {tile && <Trouble tile={tile} />}
      {hasStats && tile && <Stats tile={tile} />}
      <div class="tile-menu">
        <Menu button={{ icon: "more", label: t("wall.menu", { name }), isSmall: true }} items={[
          { label: t("wall.openStream"), icon: "video", onChoose: () => go({ page: "stream", name }) },
          { label: t("wall.last30"), icon: "rewind", onChoose: last30 },
          {
            label: t(isChosen ? "player.mute" : "player.unmute"), icon: isChosen ? "mute" : "sound",
            onChoose: () => wall.setSound(isChosen ? null : name),
          },
          { label: t("player.snapshot"), icon: "camera", disabled: !hasVideo, onChoose: snapshot },
          ...PINS.map((pin) => ({
            label: t(`wall.pin.${pin as "auto" | "still" | "key" | "full"}`), isChosen: pinned === pin,
            onChoose: () => tile?.pin(pin === "auto" ? null : pin),
          })),
        ]} />
      </div>
    </div>
  );
}

// What is said of a tile changes some times a second: in parts of their own, so that the rest is not drawn with it.

function Hit({ tile, name, isEnlarged, buttonRef, onFocus, onEnlarge }: Pick<TileProps, "name" | "isEnlarged" | "buttonRef" | "onFocus" | "onEnlarge"> & { tile: WallTile | null }) {
  const said = tile ? nameWords(name, tile.shown.value) : name;
  return (
    <button type="button" class="tile-hit" ref={buttonRef} aria-pressed={isEnlarged}
      aria-label={tile?.sound.value === "on" ? `${said}, ${t("wall.sound.heard")}` : said}
      onFocus={onFocus}
      // From the keyboard a press has no count.
      onClick={(event) => { if (event.detail === 0) onEnlarge(); }}
      onDblClick={onEnlarge} />
  );
}

function Badge({ tile }: { tile: WallTile }) {
  const shown = tile.shown.value;
  const why = whyWords(shown, tile.codec);
  return (
    <span class="tile-label tile-badge" title={why}>
      <span class="sign" aria-hidden="true">{SIGNS[shown.mode]}</span>{badgeWords(shown)}
      {why && <span class="tile-why">{why}</span>}
    </span>
  );
}

function Trouble({ tile }: { tile: WallTile }) {
  const { mode } = tile.shown.value;
  const trouble = troubleWords(tile.shown.value, tile.codec);
  if (!trouble) return null;
  return (
    <div class="tile-trouble">
      {mode === "denied" && <Icon name="lock" />}
      <strong>{trouble.text}</strong>
      {trouble.detail && <span class="small">{trouble.detail}</span>}
      {(mode === "denied" || mode === "error" || mode === "blocked") && (
        <Button isSmall icon={mode === "blocked" ? "play" : "retry"} onClick={() => tile.retry()}>
          {t(mode === "blocked" ? "player.play" : "retry")}
        </Button>
      )}
    </div>
  );
}

function Stats({ tile }: { tile: WallTile }) {
  void tile.shown.value;
  const state = tile.live?.state;
  const stats = tile.live?.stats;
  if (!state) return null;
  return (
    <p class="tile-label tile-stats mono">
      {[
        state.tier, state.width > 0 && `${state.width}×${state.height}`, state.codec,
        stats && `${t("stats.buffer")} ${stats.aheadS.toFixed(2)} s`, stats && `×${stats.rate.toFixed(2)}`,
        stats && stats.droppedChunks > 0 && `${t("stats.dropped")} ${stats.droppedChunks}`,
      ].filter(Boolean).join(" · ")}
    </p>
  );
}
