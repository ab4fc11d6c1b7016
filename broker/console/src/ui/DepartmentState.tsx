// DepartmentState.tsx - paused, unserved (some types or all), serving, ready, or without an agent.
import { isUnserved, type DepartmentSum } from "../live/departments";
import { text } from "../text";
import { Badge } from "./Badge";

export function DepartmentState({ of }: { of: DepartmentSum }) {
    const t = text().status;
    if (of.paused) return <Badge tone="warn">{t.paused}</Badge>;
    if (isUnserved(of)) return <Badge tone="bad">{of.agents ? t.partly : t.unserved}</Badge>;
    if (of.agents === 0) return <Badge tone="calm">{t.noAgent}</Badge>;
    return <Badge tone={of.leased > 0 ? "busy" : "good"}>{of.leased > 0 ? t.serving : t.idle}</Badge>;
}
