// LinkLight.tsx - live, up to date, connecting or lost: a word beside a dot whose shape differs too.
import { link } from "../live/link";
import { useStore } from "../store";
import { text } from "../text";

export function LinkLight() {
    const { state } = useStore(link);
    const t = text().link;
    const words = { live: t.live, polling: t.polling, connecting: t.connecting, lost: t.lost };
    const tips = { live: t.liveTip, polling: t.pollingTip, connecting: "", lost: "" };
    return (
        <span class={`light light-${state}`} role="status" title={tips[state]} data-link={state}>
            <i aria-hidden="true" />
            <span>{words[state]}</span>
        </span>
    );
}
