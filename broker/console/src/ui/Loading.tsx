// Loading.tsx - a part that is being read. Quiet at first: most answers come before anyone would notice.
import { text } from "../text";

export const Loading = () => (
    <p class="loading" role="status">
        {text().fault.loading}
    </p>
);
