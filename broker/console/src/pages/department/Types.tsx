// Types.tsx - what the department is asked, and whether a program or a person answers.
import { catalogue, typeTitle } from "../../live/catalogue";
import { href } from "../../route";
import { may } from "../../session";
import { useStore } from "../../store";
import { text, word } from "../../text";
import { Name } from "../../ui/Code";
import { Panel } from "../../ui/Panel";

export function Types({ department }: { department: string }) {
    const t = text();
    const types = [...useStore(catalogue).types.values()].filter((type) => type.department === department);
    if (!types.length) return null;
    return (
        <Panel title={t.department.types}>
            <ul class="types">
                {types.map((type) => (
                    <li key={type.name}>
                        {may("search") ? <a href={href("search", undefined, { q: `type:${type.name}` })}>{typeTitle(type.name)}</a> : typeTitle(type.name)}
                        <small><Name>{type.name}</Name> · {word(t.modes, type.mode)}</small>
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
