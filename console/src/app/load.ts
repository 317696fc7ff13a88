// Loading for a component: the last answer stays while the next one is on its way.

import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, isAbort } from "../api/error.ts";
import { reconnections } from "./connection.ts";

export interface Loaded<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  reload: () => void;
}

interface Options {
  /** Again so long after each answer, while the page is seen. */
  everyMs?: number;
  isOff?: boolean;
}

/** Calls `load` when `keys` change, when the server is back, and when asked. */
export function useLoad<Value>(
  load: (signal: AbortSignal) => Promise<Value>, keys: unknown[], { everyMs, isOff }: Options = {},
): Loaded<Value> {
  const [state, setState] = useState<{ value?: Value; error?: ApiError; isLoading: boolean }>({ isLoading: !isOff });
  const [round, setRound] = useState(0);
  const back = reconnections.value;
  const shown = useRef("");
  const key = JSON.stringify(keys);

  useEffect(() => {
    if (isOff) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Another thing is loaded: the old value is not its value.
    if (shown.current !== key) setState({ isLoading: true });
    shown.current = key;
    const run = async () => {
      if (everyMs && document.hidden) {
        timer = setTimeout(run, everyMs);
        return;
      }
      try {
        const value = await load(controller.signal);
        if (!controller.signal.aborted) setState({ value, isLoading: false });
      } catch (error) {
        if (isAbort(error) || controller.signal.aborted) return;
        setState((before) => ({ ...before, error: asApiError(error), isLoading: false }));
      }
      if (everyMs && !controller.signal.aborted) timer = setTimeout(run, everyMs);
    };
    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [key, round, back, isOff]);

  return {
    value: state.value,
    error: state.error,
    isLoading: state.isLoading,
    reload: () => setRound((n) => n + 1),
  };
}
