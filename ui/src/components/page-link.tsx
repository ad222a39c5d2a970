/** A link to a page of the console. */

import { Link } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

import type { Address } from "../app/addresses";

interface Props extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  address: Address;
  ref?: Ref<HTMLAnchorElement>;
  /** Where the page counts as the current one; left out, on all pages below it as well. */
  activeOptions?: { exact?: boolean; includeSearch?: boolean };
}

export function PageLink({ address, ...rest }: Props) {
  return <Link {...(rest as object)} to={address.to} search={(address.search ?? {}) as never} />;
}
