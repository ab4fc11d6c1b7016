// BadFilter.tsx - a filter that the broker could not read: where, in the reader's language, and the broker's own
// words about it. Asking once more would not help.
import { ApiError } from "../../api/http";
import { digits } from "../../format/number";
import { fill, text } from "../../text";
import { marked } from "../../ui/Foreign";
import { Icon } from "../../ui/Icon";

export const isBadFilter = (fault: unknown): fault is ApiError => fault instanceof ApiError && fault.problem.status === 422;

export function BadFilter({ of }: { of: ApiError }) {
    const t = text().search;
    const { detail } = of.problem;
    const at = /\bcharacter (\d+):/.exec(detail)?.[1];
    return (
        <div class="fault" role="alert">
            <Icon name="alert" />
            <div>
                <p>{at ? fill(t.badFilterAt, { n: digits(at) }) : t.badFilter}</p>
                {detail && <p class="fault-detail"><bdi dir="ltr" lang="en">{marked(detail)}</bdi></p>}
            </div>
        </div>
    );
}
