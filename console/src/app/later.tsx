import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Skeleton } from "../ui/states.tsx";

/** A component that is loaded when it is first drawn. */
export function later<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [, show] = useState(0);
    useEffect(() => {
      if (loaded) return;
      void load().then((module) => {
        loaded = module.default;
        show(1);
      }).catch(() => show(-1));
    }, []);
    const Component = loaded;
    return Component ? <Component {...props} /> : <div class="page"><Skeleton height="32px" /></div>;
  };
}
