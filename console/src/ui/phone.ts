import { signal } from "@preact/signals";

const media = matchMedia("(max-width: 767px)");
const isPhone = signal(media.matches);
media.addEventListener("change", () => { isPhone.value = media.matches; });

/** Lists are cards, dialogs are sheets. */
export function useIsPhone(): boolean {
  return isPhone.value;
}
