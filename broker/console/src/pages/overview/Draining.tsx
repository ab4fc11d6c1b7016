// Draining.tsx - nobody should wonder why nothing moves while the broker drains.
import { text } from "../../text";
import { Banner } from "../../ui/Banner";

export function Draining({ stats }: { stats: Record<string, number> }) {
    if (!stats.draining) return null;
    return <Banner tone="warn">{text().overview.drained}</Banner>;
}
