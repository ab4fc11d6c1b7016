// EventMark.tsx - an event as a small round sign: its icon differs, not only its colour.
import { Icon, type IconName } from "./Icon";

const marks: Record<string, { icon: IconName; tone: string }> = {
    submitted: { icon: "inbox", tone: "calm" },
    queued: { icon: "queue", tone: "calm" },
    leased: { icon: "agent", tone: "busy" },
    "attempt-failed": { icon: "alert", tone: "warn" },
    "given-back": { icon: "requeue", tone: "calm" },
    parked: { icon: "parked", tone: "bad" },
    requeued: { icon: "requeue", tone: "busy" },
    redirected: { icon: "redirect", tone: "busy" },
    answered: { icon: "check", tone: "good" },
    expired: { icon: "clock", tone: "bad" },
    cancelled: { icon: "cancel", tone: "calm" },
    acknowledged: { icon: "flag", tone: "good" },
    paused: { icon: "pause", tone: "warn" },
    resumed: { icon: "play", tone: "good" },
    drain: { icon: "drain", tone: "warn" },
};

export function EventMark({ event }: { event: string }) {
    const mark = marks[event] ?? { icon: "info" as const, tone: "calm" };
    return (
        <span class={`mark mark-${mark.tone}`}>
            <Icon name={mark.icon} size="small" />
        </span>
    );
}
