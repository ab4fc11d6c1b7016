// Versions.tsx - which broker this is, of which city, since when.
import type { List, NamedValue } from "../../api/shapes";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { text, word } from "../../text";
import type { Asked } from "../../ui/useAsked";
import { ConfigValue } from "./ConfigValue";

const first = ["version", "protocol", "protocol_revision", "city", "generation", "started_at", "configured_at"];

export function Versions({ config }: { config: Asked<List<NamedValue>> }) {
    const t = text().system;
    const rows = config.value?.rows.filter((r) => first.includes(r.name)) ?? [];
    return (
        <Panel title={t.versions}>
            {!config.value && (config.fault !== null ? <Fault of={config.fault} again={config.again} /> : <Loading />)}
            <dl class="details">
                {rows.map((r) => (
                    <div key={r.name}>
                        <dt>{word(t.names, r.name)}</dt>
                        <dd><ConfigValue row={r} /></dd>
                    </div>
                ))}
            </dl>
        </Panel>
    );
}
