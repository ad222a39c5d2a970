/** What every part of the page is given. */

import type { Span } from "../../api/analytics";
import type { FigureChoices } from "../../model/figures";
import type { Names } from "./use-choices";

export interface PartProps {
  choices: FigureChoices;
  names: Names;
  asked: Span;
  onChange: (part: Partial<FigureChoices>) => void;
}
