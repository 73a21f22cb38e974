import { authorizationServerMetadata } from '#app/oauth/metadata'

/**
 * RFC 8414: what is offered of OAuth, for programs that configure themselves.
 */
export default class OauthMetadataController {
  show() {
    return authorizationServerMetadata
  }
}
