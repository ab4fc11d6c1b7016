// Banner.tsx - what must not be overlooked. An alert is read out at once.
import type { ComponentChildren } from "preact";
import { Icon } from "./Icon";

export function Banner({ tone, children }: { tone: "bad" | "warn" | "calm"; children: ComponentChildren }) {
    return (
        <div class={`banner banner-${tone}`} role={tone === "bad" ? "alert" : "status"}>
            <Icon name={tone === "calm" ? "info" : "alert"} />
            <div>{children}</div>
        </div>
    );
}
